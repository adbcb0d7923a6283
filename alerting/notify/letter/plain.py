"""Text that somebody typed, made so that it shows all that is in it: nothing hidden, nothing turned round."""

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
# Marks and letters that show nothing: Unicode's Default_Ignorable_Code_Point beyond format characters.
_BLANK = frozenset({
    0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0,
    *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0),
})  # fmt: skip


def plain(text: str) -> str:
    r"""A text in which whatever steers or hides is written out; line breaks stay.

    >>> plain("a\u202eb\u200bc\r\nd")
    'a[U+202E]b[U+200B]c\nd'
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").strip()
    return "".join(char if char == "\n" or _shows(char) else written_out(char) for char in lines)


def written_out(char: str) -> str:
    r"""A character by its number.

    >>> written_out("\u200b")
    '[U+200B]'
    """
    return f"[U+{ord(char):04X}]"


def _shows(char: str) -> bool:
    return ord(char) not in _BLANK and unicodedata.category(char) not in _HIDDEN
