"use strict";
// Shows the figures of the token that the mouse or the keyboard is at. The page is whole without it.
const data = JSON.parse(document.getElementById("data").textContent);
const card = document.getElementById("card");
const main = document.querySelector("main");
const cells = Array.from(main.getElementsByTagName("i"));
const first = new Map(); // cell -> its place among the cells, and that of its first token
let token = 0;
cells.forEach((cell, place) => { first.set(cell, [place, token]); token += data.joined[place] || 1; });

const unseen = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

// A name with what nobody could see written as JSON writes it, and spaces at its ends as boxes.
function shown(name) {
  const written = JSON.stringify(name).slice(1, -1).replace(/\\(["\\])/g, "$1");
  return written
    .replace(unseen, (found) => "\\u" + found.charCodeAt(0).toString(16).padStart(4, "0"))
    .replace(/^ +| +$/g, (spaces) => "\u2423".repeat(spaces.length));
}

function row(table, name, value, kind) {
  const line = table.insertRow(), cell = line.insertCell(), word = document.createElement("bdi");
  word.textContent = name;
  cell.className = kind;
  cell.append(word);
  line.insertCell().textContent = value;
}

function describe(entry) {
  const heading = document.createElement("strong"), word = document.createElement("bdi");
  word.textContent = shown(data.names[entry[0]]);
  heading.append(word);
  const figures = document.createElement("table"), likely = document.createElement("table");
  data.figures.forEach((name, k) => row(figures, name, String(entry[k + 1]).replace("-", "\u2212"), ""));
  const others = entry.slice(1 + data.figures.length);
  for (let k = 0; k < others.length; k += 2)
    row(likely, shown(data.names[others[k]]), others[k + 1], "other");
  if (others.length) likely.createCaption().textContent = "likeliest here";
  return others.length ? [heading, figures, likely] : [heading, figures];
}

function show(cell) {
  const [place, begin] = first.get(cell), many = data.joined[place] || 1;
  card.replaceChildren(...data.tokens.slice(begin, begin + many).flatMap(describe));
  card.hidden = false;
  const at = cell.getClientRects()[0] || cell.getBoundingClientRect(), gap = 8;
  const below = at.bottom + gap + card.offsetHeight <= innerHeight || at.top < card.offsetHeight + gap;
  card.style.top = (below ? at.bottom + gap : at.top - gap - card.offsetHeight) + "px";
  card.style.left = Math.max(gap, Math.min(at.left, innerWidth - card.offsetWidth - gap)) + "px";
}

function hide() { card.hidden = true; }

// One token at a time can be reached by Tab; from it the arrow keys lead on.
let reached = cells[0];
if (reached) reached.tabIndex = 0;
function go(place) {
  if (place < 0 || place >= cells.length) return;
  reached.removeAttribute("tabindex");
  reached = cells[place];
  reached.tabIndex = 0;
  reached.focus();
}

const ends = { Home: () => 0, End: () => cells.length - 1 };
const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 };
main.addEventListener("keydown", (event) => {
  const here = first.get(event.target);
  if (event.key === "Escape") hide();
  if (!here || event.ctrlKey || event.altKey || event.metaKey) return;
  if (!(event.key in steps) && !(event.key in ends)) return;
  event.preventDefault();
  if (event.key in ends) return go(ends[event.key]());
  let place = here[0] + steps[event.key];
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const from = cells[here[0]].getBoundingClientRect();
    const away = (k) => { const r = cells[k].getBoundingClientRect(); return [Math.abs(r.top - from.top), r.left]; };
    while (cells[place] && away(place)[0] < from.height / 2) place += steps[event.key];
    const line = cells[place] && cells[place].getBoundingClientRect().top;
    let best = place;
    for (let k = place; cells[k] && Math.abs(cells[k].getBoundingClientRect().top - line) < 3; k += steps[event.key])
      if (Math.abs(away(k)[1] - from.left) < Math.abs(away(best)[1] - from.left)) best = k;
    place = best;
  }
  go(place);
});
main.addEventListener("focusin", (event) => { if (first.has(event.target)) show(event.target); });
main.addEventListener("focusout", hide);
main.addEventListener("mouseover", (event) => { if (first.has(event.target)) show(event.target); });
main.addEventListener("mouseout", hide);
main.addEventListener("click", (event) => { if (first.has(event.target)) go(first.get(event.target)[0]); });
// What the keyboard is at scrolls into sight, and its figures with it.
addEventListener("scroll", () => (first.has(document.activeElement) ? show(document.activeElement) : hide()));
