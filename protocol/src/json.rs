//! A pull reader over JSON text that copies nothing it need not.
//!
//! A client takes five fields from a frame of text, fifty times a second, in a page that pays for every byte of code. This
//! reader walks the text once, borrows strings that have no escapes, and is a fraction of what serde and `serde_json` add to a
//! WebAssembly module (measured: 28 to 35 KB gzip). It accepts what RFC 8259 accepts, no more, except that it does not look
//! inside numbers it skips; `codec`'s tests hold it against `serde_json`.

use std::borrow::Cow;

use crate::limits::MAX_JSON_DEPTH;

/// Text that is not the JSON that was expected. Carries the byte at which that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonError {
    /// The byte of the text.
    pub offset: usize,
}

pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

type Read<T> = Result<T, JsonError>;

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// Walks the items between two brackets; `item` must take each with one of the other methods.
    fn items(&mut self, open: u8, close: u8, item: &mut dyn FnMut(&mut Self) -> Read<()>) -> Read<()> {
        self.expect(open)?;
        self.depth += 1;
        if self.depth > MAX_JSON_DEPTH {
            return self.fail();
        }
        if self.next_is(close) {
            self.at += 1;
        } else {
            loop {
                item(self)?;
                if self.next_is(close) {
                    self.at += 1;
                    break;
                }
                self.expect(b',')?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// A string, borrowed if it has no escapes.
    pub(crate) fn string(&mut self) -> Read<Cow<'a, str>> {
        self.expect(b'"')?;
        let start = self.at;
        self.plain_run()?;
        if self.byte() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(self.since(start, 1)));
        }
        let mut owned = String::with_capacity((self.at - start) * 2 + 16);
        owned.push_str(self.since(start, 0));
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(owned));
                }
                Some(b'\\') => {
                    self.at += 1;
                    owned.push(self.escape()?);
                }
                _ => return self.fail(),
            }
            let run = self.at;
            self.plain_run()?;
            owned.push_str(self.since(run, 0));
        }
    }

    /// A whole number of at least 0.
    pub(crate) fn u64(&mut self) -> Read<u64> {
        self.space();
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let (mut value, mut len): (u64, usize) = (0, 0);
        for byte in rest {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            // checked_mul would be a multiplication of 128 bits in WebAssembly.
            if value > u64::MAX / 10 {
                return self.fail();
            }
            let Some(next) = (value * 10).checked_add(u64::from(digit)) else { return self.fail() };
            value = next;
            len += 1;
        }
        self.at += len;
        let leading_zero = len > 1 && rest.first() == Some(&b'0');
        if len == 0 || leading_zero || matches!(self.byte(), Some(b'.' | b'e' | b'E')) {
            return self.fail();
        }
        Ok(value)
    }

    /// `true` or `false`.
    pub(crate) fn bool(&mut self) -> Read<bool> {
        self.space();
        if self.literal("true") {
            Ok(true)
        } else if self.literal("false") {
            Ok(false)
        } else {
            self.fail()
        }
    }

    /// Passes over any value and gives its text.
    pub(crate) fn skip(&mut self) -> Read<&'a str> {
        self.space();
        let start = self.at;
        match self.byte() {
            Some(b'{') => self.items(b'{', b'}', &mut |reader| {
                reader.skip_string()?;
                reader.expect(b':')?;
                reader.skip().map(drop)
            })?,
            Some(b'[') => self.items(b'[', b']', &mut |reader| reader.skip().map(drop))?,
            Some(b'"') => self.skip_string()?,
            Some(b'-' | b'0'..=b'9') => {
                while let Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') = self.byte() {
                    self.at += 1;
                }
            }
            _ if self.literal("true") || self.literal("false") || self.literal("null") => {}
            _ => return self.fail(),
        }
        Ok(self.since(start, 0))
    }

    /// The text up to where this reader is.
    pub(crate) fn passed(&self) -> &'a str {
        self.since(0, 0)
    }

    /// Requires that nothing but white space is left.
    pub(crate) fn end(&mut self) -> Read<()> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { self.fail() }
    }

    fn skip_string(&mut self) -> Read<()> {
        self.expect(b'"')?;
        loop {
            self.plain_run()?;
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => {
                    self.at += 1;
                    self.escape()?;
                }
            }
        }
    }

    /// Moves to the next quote or backslash; a control character or the end of the text is an error.
    fn plain_run(&mut self) -> Read<()> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let Some(len) = rest.iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20) else {
            self.at = self.text.len();
            return self.fail();
        };
        self.at += len;
        if self.byte().is_some_and(|byte| byte < 0x20) { self.fail() } else { Ok(()) }
    }

    fn escape(&mut self) -> Read<char> {
        let Some(byte) = self.byte() else { return self.fail() };
        self.at += 1;
        Ok(match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return self.fail(),
        })
    }

    fn unicode_escape(&mut self) -> Read<char> {
        let first = self.hex4()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first).ok_or(JsonError { offset: self.at });
        }
        let paired = self.literal("\\u");
        let second = if paired { self.hex4()? } else { 0 };
        if !(0xDC00..0xE000).contains(&second) {
            return self.fail();
        }
        char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).ok_or(JsonError { offset: self.at })
    }

    fn hex4(&mut self) -> Read<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).unwrap_or_default();
        let mut value = 0;
        for &digit in digits {
            let Some(digit) = char::from(digit).to_digit(16) else { return self.fail() };
            value = value * 16 + digit;
        }
        if digits.len() < 4 {
            return self.fail();
        }
        self.at += 4;
        Ok(value)
    }

    pub(crate) fn literal(&mut self, literal: &str) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let found = rest.starts_with(literal.as_bytes());
        if found {
            self.at += literal.len();
        }
        found
    }

    /// The text from `start`, a byte where this reader has been between characters, to `less` bytes before where it is. Without
    /// the panic of an index, whose message is more code than this reader.
    fn since(&self, start: usize, less: usize) -> &'a str {
        self.text.get(start..self.at - less).unwrap_or_default()
    }

    fn expect(&mut self, byte: u8) -> Read<()> {
        self.space();
        if self.byte() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            self.fail()
        }
    }

    fn next_is(&mut self, byte: u8) -> bool {
        self.space();
        self.byte() == Some(byte)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fail<T>(&self) -> Read<T> {
        Err(JsonError { offset: self.at })
    }
}

/// An object whose fields are read by name.
///
/// The values are walked once to find their ends and again when they are asked for. What is read so is short; what is long,
/// text, comes by [`StreamDecoder`](crate::codec::StreamDecoder). One copy of this serves every type, where a reader for each would
/// be twice the code.
pub(crate) struct Object<'a> {
    fields: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Object<'a> {
    /// Reads text that is one object and nothing else.
    pub(crate) fn read(text: &'a str) -> Read<Self> {
        let mut fields = Vec::new();
        let mut reader = Reader::new(text);
        reader.items(b'{', b'}', &mut |reader| {
            let key = reader.string()?;
            reader.expect(b':')?;
            fields.push((key, reader.skip()?));
            Ok(())
        })?;
        reader.end()?;
        Ok(Self { fields })
    }

    /// The value of a field as JSON; nothing if it is not there or `null`. Of several of one name the last counts.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.fields.iter().rfind(|(key, _)| key == name)?;
        (*value != "null").then_some(*value)
    }

    /// A string; nothing if it is not there.
    pub(crate) fn optional_text(&self, name: &str) -> Read<Option<Cow<'a, str>>> {
        self.raw(name).map(|raw| Reader::new(raw).string()).transpose()
    }

    /// A string; the empty one if it is not there.
    pub(crate) fn text(&self, name: &str) -> Read<Cow<'a, str>> {
        self.optional_text(name).map(Option::unwrap_or_default)
    }

    /// A whole number; nothing if it is not there.
    pub(crate) fn optional_number(&self, name: &str) -> Read<Option<u64>> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let mut reader = Reader::new(raw);
        let number = reader.u64()?;
        reader.end()?;
        Ok(Some(number))
    }

    /// A whole number; 0 if it is not there.
    pub(crate) fn number(&self, name: &str) -> Read<u64> {
        self.optional_number(name).map(Option::unwrap_or_default)
    }

    /// Whether a field is `true`.
    pub(crate) fn flag(&self, name: &str) -> Read<bool> {
        self.raw(name).map_or(Ok(false), |raw| Reader::new(raw).bool())
    }

    /// An object; nothing if it is not there.
    pub(crate) fn object(&self, name: &str) -> Read<Option<Self>> {
        self.raw(name).map(Self::read).transpose()
    }

    /// The objects of an array; none if it is not there.
    pub(crate) fn objects(&self, name: &str) -> Read<Vec<Self>> {
        let mut objects = Vec::new();
        if let Some(raw) = self.raw(name) {
            Reader::new(raw).items(b'[', b']', &mut |reader| {
                objects.push(Self::read(reader.skip()?)?);
                Ok(())
            })?;
        }
        Ok(objects)
    }
}

#[cfg(test)]
pub(crate) mod plain;
#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Option<String> {
        let mut reader = Reader::new(text);
        let value = reader.string().ok()?.into_owned();
        reader.end().ok()?;
        Some(value)
    }

    #[test]
    fn a_string_without_escapes_is_borrowed() {
        assert!(matches!(Reader::new(r#""plain ü""#).string(), Ok(Cow::Borrowed("plain ü"))));
        assert!(matches!(Reader::new(r#""a\nb""#).string(), Ok(Cow::Owned(_))));
    }

    #[test]
    fn half_a_surrogate_pair_is_refused() {
        for bad in [r#""\ud83d""#, r#""\ud83dx""#, r#""\ud83dA""#, r#""\ude00""#, r#""\u12"#, r#""\u+123""#] {
            assert_eq!(string(bad), None, "{bad}");
        }
        assert_eq!(string(r#""\ud83d\ude00""#).as_deref(), Some("😀"));
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Reader::new(&nested(MAX_JSON_DEPTH)).skip().is_ok());
        assert!(Reader::new(&nested(MAX_JSON_DEPTH + 1)).skip().is_err());
        assert!(Reader::new(&nested(100_000)).skip().is_err());
    }

    #[test]
    fn fields_are_found_by_name_and_the_last_of_two_counts() {
        let object = Object::read(r#" {"a":1,"\u0062":"x","a":7,"n":null,"o":{"c":[{}, {"d":true}]}} "#).unwrap();
        assert_eq!((object.number("a"), object.number("z")), (Ok(7), Ok(0)));
        assert_eq!((object.text("b").as_deref(), object.optional_text("n")), (Ok("x"), Ok(None)));
        let inner = object.object("o").unwrap().unwrap().objects("c").unwrap();
        assert_eq!((inner.len(), inner[1].flag("d"), inner[0].flag("d")), (2, Ok(true), Ok(false)));
        assert!(object.number("b").is_err() && object.text("a").is_err() && object.objects("a").is_err());
        assert!(Object::read("{} {}").is_err() && Object::read("[]").is_err());
        assert!(Object::read(r#"{"a":1-2}"#).unwrap().number("a").is_err());
    }
}
