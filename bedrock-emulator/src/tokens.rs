//! The emulator's token rule: deterministic, close to four characters of English a token.
//!
//! A text is cut from left to right into pieces, and each piece is one token and one delta:
//! 1. up to six letters or digits of ASCII, with the one space before them if there is one;
//! 2. up to four equal ASCII punctuation marks, with the one space before them;
//! 3. up to four whitespace characters;
//! 4. any other character by itself, with the joiners, variation selectors, skin tones and combining marks that follow it.

/// Longest run of letters and digits in one token.
const WORD_CHARS: usize = 6;
/// Longest run of equal punctuation or of whitespace in one token.
const RUN_CHARS: usize = 4;

/// The tokens of a text; joined they give the text again.
pub(crate) fn pieces(text: &str) -> Pieces<'_> {
    Pieces { rest: text }
}

/// How many tokens a text has.
pub(crate) fn count(text: &str) -> u32 {
    u32::try_from(pieces(text).count()).unwrap_or(u32::MAX)
}

pub(crate) struct Pieces<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let length = piece_len(self.rest)?;
        let (piece, rest) = self.rest.split_at(length);
        self.rest = rest;
        Some(piece)
    }
}

fn piece_len(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let lead = usize::from(first == ' ');
    let body = &text[lead..];
    let length = match body.chars().next() {
        Some(c) if c.is_ascii_alphanumeric() => {
            lead + body.bytes().take(WORD_CHARS).take_while(u8::is_ascii_alphanumeric).count()
        }
        Some(c) if c.is_ascii_punctuation() => {
            lead + body.bytes().take(RUN_CHARS).take_while(|b| char::from(*b) == c).count()
        }
        _ if first.is_whitespace() => {
            text.chars().take(RUN_CHARS).take_while(|c| c.is_whitespace()).map(char::len_utf8).sum()
        }
        _ => cluster_len(text),
    };
    Some(length)
}

fn cluster_len(text: &str) -> usize {
    let mut joined = false;
    let mut length = 0;
    for (i, c) in text.chars().enumerate() {
        if i > 0 && !joined && !extends(c) {
            break;
        }
        joined = c == '\u{200d}';
        length += c.len_utf8();
    }
    length
}

fn extends(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{300}'..='\u{36f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{20e3}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_as_the_rule_says() {
        let cases: [(&str, &[&str]); 7] = [
            ("", &[]),
            ("Hello, world!", &["Hello", ",", " world", "!"]),
            ("extraordinary", &["extrao", "rdinar", "y"]),
            ("a  b\n\n\n\n\nc", &["a", "  ", "b", "\n\n\n\n", "\n", "c"]),
            ("```rust", &["```", "rust"]),
            ("né 👩🏽‍💻!", &["n", "é", " ", "👩🏽‍💻", "!"]),
            ("x = 10", &["x", " =", " 10"]),
        ];
        for (text, expected) in cases {
            assert_eq!(pieces(text).collect::<Vec<_>>(), expected, "{text:?}");
        }
    }

    #[test]
    fn english_has_about_four_characters_a_token() {
        let text = include_str!("../README.md");
        let ratio = text.chars().count() as f64 / f64::from(count(text));
        assert!((3.0..5.0).contains(&ratio), "{ratio}");
        assert_eq!(pieces(text).collect::<String>(), text);
    }
}
