"""corpora/speech.py: what is rare, and that nothing of the held-out part is trained on."""

from collections import Counter

from scripts import load_script

speech = load_script("corpora/speech.py")


def test_speech_is_rare_in_training_and_as_it_is_in_the_held_out_part() -> None:
    training, held_out = (Counter(label for label, _ in speech.part(name)) for name in speech.PARTS)
    assert training == {"story": 989, "speech": 49}
    assert held_out == {"story": 549, "speech": 107}
    assert Counter(label for label, _ in speech.part("training", rare=10))["speech"] == 98


def test_quotation_marks_decide_and_are_left_out() -> None:
    assert speech.pieces(['He said to her, "Wait for me, I will come at once," and went.', "So they all waited."]) == [
        ("story", "He said to her"),
        ("speech", "Wait for me"),
        ("speech", "I will come at once"),
        ("story", "So they all waited"),
    ]
    for name in speech.PARTS:
        for label, text in speech.part(name):
            assert label in ("story", "speech")
            assert not set(text) & set('"\t\n')
            assert len(text.split()) >= speech.FEWEST_WORDS


def test_the_parts_share_hardly_a_text() -> None:
    """They come from other paragraphs; a phrase may stand in both."""
    training, held_out = ({text for _, text in speech.part(name)} for name in speech.PARTS)
    assert len(training & held_out) < 0.01 * len(held_out)


def test_the_same_is_written_each_time() -> None:
    assert speech.part("training") == speech.part("training")
