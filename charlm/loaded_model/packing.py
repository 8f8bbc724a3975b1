"""Bytes in fewer bytes."""

from typing import Unpack

from charlm.adapting.applying import opened_again, settled
from charlm.adapting.options import AdaptOptions
from charlm.compression.from_bytes import compressed, decompressed
from charlm.loaded_model.loaded import Loaded


class Packing(Loaded):
    """The methods of ``charlm.Model`` that compress."""

    def compress(self, data: bytes, *, label: str | None = None, **options: Unpack[AdaptOptions]) -> bytes:
        """Bytes by the model's probabilities, as the file that ``charlm compress`` writes; see ``docs/compression.md``.

        Args:
            data: any bytes.
            label: under which it is read, for a model of texts with labels.
            **options: what the model adapts by while it reads; the keys of ``AdaptOptions``, none for nothing.

        Raises:
            UsageError: the label or an option does not fit the model.
            ModelError: a model that is mixed in cannot be read.
        """
        model = self.trained.under(label)
        return compressed(model, data, *(settled(model, self.path, options) if options else ()))

    def decompress(self, data: bytes, *, label: str | None = None) -> bytes:
        """What ``compress`` was given.

        Args:
            data: what it gave.
            label: likewise.

        Raises:
            InputError: the data is damaged, or no such data.
            ModelError: it was compressed with another model, or where the same one computes other bits.
        """
        model = self.trained.under(label)
        return decompressed(model, data, lambda how: opened_again(model, self.path, how))
