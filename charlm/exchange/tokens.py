"""A vocabulary as other programs read it."""

import json

from charlm.text.vocabulary import Vocabulary


def token_list(vocabulary: Vocabulary) -> str:
    """The token of each id as a JSON list in ASCII; a byte that is none shows as in ``charlm info``."""
    return json.dumps([vocabulary.token(number) for number in range(len(vocabulary))], ensure_ascii=True)
