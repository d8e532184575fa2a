//! Which characters cannot be seen, and which of these are needed all the same.
//!
//! Source: `Default_Ignorable_Code_Point` of the Unicode Character Database, and chapter 23 of the Unicode Standard.

/// The flags of England, Scotland and Wales: the only emoji that need tags (RGI_Emoji_Tag_Sequence).
pub(super) const FLAGS: [&str; 3] = [
    "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
    "\u{1F3F4}\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
    "\u{1F3F4}\u{E0067}\u{E0062}\u{E0077}\u{E006C}\u{E0073}\u{E007F}",
];

/// How many characters that cannot be seen may follow each other. Arabic script has use for three in a row (joiner, non-joiner,
/// joiner); text that is hidden in them has very many.
pub(super) const MAX_INVISIBLE_RUN: u32 = 3;

/// Controls that end a line.
pub(super) fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}')
}

/// What no script needs: controls, what turns the direction of text around, what shows nothing, and what is no character.
pub(super) fn is_removed(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c,
            '\u{AD}' // soft hyphen
            | '\u{202A}'..='\u{202E}' // bidirectional embeddings and overrides
            | '\u{2060}'..='\u{206F}' // word joiner, invisible operators, bidirectional isolates, deprecated formats
            | '\u{FDD0}'..='\u{FDEF}' // no characters
            | '\u{FEFF}' // byte order mark
            | '\u{FFF0}'..='\u{FFFB}' // annotations
            | '\u{1D173}'..='\u{1D17A}' // beams and slurs
            | '\u{E0000}'..='\u{E00FF}' // tags
            | '\u{E01F0}'..='\u{E0FFF}')
        || u32::from(c) & 0xFFFE == 0xFFFE
}

/// What cannot be seen by itself but is part of emoji or of how a script is written: joiners, marks of direction, fillers, selectors.
pub(super) fn is_invisible(c: char) -> bool {
    is_selector(c)
        || matches!(c,
            '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{FFA0}'
            | '\u{1BCA0}'..='\u{1BCA3}')
}

/// What chooses how the character before it looks. There is never more than one for a character.
pub(super) fn is_selector(c: char) -> bool {
    matches!(c, '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}
