use proptest::prelude::*;
use protocol::{
    MessageId, SessionId,
    client::{CreateSession, Regenerate, RenameSession, SendMessage},
};

use super::*;

const LIMITS: MessageLimits = MessageLimits { chars: 1_000, tokens: 1_000, system_prompt_chars: 20 };

fn send(message: &str) -> ClientMessage {
    ClientMessage::SendMessage(SendMessage {
        session_id: None,
        message: message.to_owned(),
        streaming: true,
        model: None,
        attachments: Vec::new(),
        replaces: None,
        system_prompt: None,
    })
}

fn admitted(message: ClientMessage) -> Result<ClientMessage, Box<ErrorData>> {
    admit(&RequestId::new("r").unwrap(), message, LIMITS)
}

fn refusal(message: ClientMessage) -> (ErrorCode, String) {
    let error = admitted(message).unwrap_err();
    (error.code, error.message)
}

/// Text as people write it, of many scripts, in form C.
const ORDINARY: &[&str] = &[
    "Ünïcödé, naïve café – “quotes” … € №5 ½ ﬁ ²",
    "Tiếng Việt có dấu",
    "Ελληνικά ἄνθρωπος",
    "Русский текст, й и ё",
    "\u{5E9}\u{5B8}\u{5C1}\u{5DC}\u{5D5}\u{5B9}\u{5DD} \u{200F}(1)\u{200E}",
    "می\u{200C}خواهم كتاب \u{61C}١٢٣",
    "क्\u{200D}ष हिन्दी नहीं",
    "বাংলা র\u{200D}্য",
    "தமிழ் తెలుగు ಕನ್ನಡ മലയാളം സി\u{200D}",
    "ภาษาไทย\u{200B}ไม่มีวรรค",
    "ខ្មែរ\u{200B}ភាសា မြန်မာ བོད་སྐད།",
    "日本語のテキスト、葛\u{E0100}城 漢字 ｶﾀｶﾅ 中文。",
    "한국어 \u{1112}\u{119E}\u{11AB}글",
    "ᠮᠣᠩᠭᠣᠯ\u{180E}ᠠ ᠪᠢᠴᠢᠭ\u{180B}",
    "አማርኛ ქართული հայերեն ᏣᎳᎩ",
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇳🇴 1️⃣ ❤️ 🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
    "fn main() {\n\tprintln!(\"{}\", a[0] & !b);\n}\n",
    "⠓⠑⠇⠇⠕ ♫ ∑∞≠ 𝒜 𓂀 𐎀 \u{2028}line\u{2029}paragraph\u{A0}end",
];

#[test]
fn ordinary_text_of_many_scripts_stays_as_it_is() {
    for text in ORDINARY {
        assert_eq!(clean(text), *text);
        assert!(!is_blank(text));
    }
}

#[test]
fn what_cannot_be_seen_goes() {
    for (sent, kept) in [
        ("one\r\ntwo\rthree\nfour\u{B}five\u{C}six\u{85}seven", "one\ntwo\nthree\nfour\nfive\nsix\nseven"),
        ("\r\r\n\n", "\n\n\n"),
        ("a\0b\u{1B}[31mc\u{7F}d\u{9B}e\tf", "ab[31mcde\tf"),
        ("file\u{202E}gpj.exe", "filegpj.exe"),
        ("\u{202A}a\u{202B}b\u{202C}c\u{202D}d\u{2066}e\u{2067}f\u{2068}g\u{2069}h", "abcdefgh"),
        ("hi\u{E0001}\u{E0069}\u{E0067}\u{E006E}\u{E006F}\u{E0072}\u{E0065}\u{E007F}", "hi"),
        // Other tags behind a flag than those of a flag.
        ("🏴\u{E0075}\u{E0073}\u{E0063}\u{E0061}\u{E007F}", "🏴"),
        ("\u{FEFF}B\u{AD}O\u{2060}M\u{2063}!\u{FFF9}\u{FFFE}\u{1FFFF}\u{FDD0}", "BOM!"),
        ("a\u{200B}\u{200C}\u{200D}\u{200B}\u{200C}\u{200D}b", "a\u{200B}\u{200C}\u{200D}b"),
        // Bytes hidden in the selectors of an emoji.
        ("😀\u{FE00}\u{FE01}\u{E0100}\u{E0155}x", "😀\u{FE00}x"),
        // Form C.
        ("cafe\u{301} A\u{30A} \u{2126} \u{1112}\u{1161}\u{11AB}", "café Å Ω 한"),
        // What is taken out stands between nothing.
        ("e\u{2060}\u{301}", "é"),
    ] {
        assert_eq!(clean(sent), kept, "{sent:?}");
    }
}

#[test]
fn a_message_of_which_nothing_is_left_is_blank() {
    for nothing in ["", " \n\t", "\u{202E}", "\u{E0041}\u{E0042}", "\u{200B}\u{200D}", "\0\u{1B}", "\u{3164}\u{2800}"] {
        let (code, text) = refusal(send(nothing));
        assert!(code == ErrorCode::InvalidRequest && text.contains("blank"), "{nothing:?}: {text}");
    }
}

#[test]
fn a_message_has_a_most_of_characters_and_of_tokens_and_what_is_taken_out_does_not_count() {
    let hidden = "\u{E0041}".repeat(5_000);
    assert_eq!(admitted(send(&format!("{}{hidden}", "x".repeat(1_000)))), Ok(send(&"x".repeat(1_000))));
    let (code, text) = refusal(send(&"é".repeat(1_001)));
    assert!(code == ErrorCode::MessageTooLarge && text.contains("1001 characters, the most is 1000"), "{text}");
    assert!(admitted(send(&"語".repeat(1_000))).is_ok());
    let (code, text) = refusal(send(&"𠀀".repeat(1_000)));
    assert!(code == ErrorCode::MessageTooLarge && text.contains("1334 tokens or so, the most is 1000"), "{text}");
}

#[test]
fn titles_and_models_are_one_line() {
    let create = |title: &str, model: &str| {
        let (title, model) = (Some(title.to_owned()), Some(model.to_owned()));
        ClientMessage::CreateSession(CreateSession { title, model })
    };
    assert_eq!(admitted(create(" a\r\n\tb\u{202E}c ", "m\u{200E}\0")), Ok(create("a bc", "m\u{200E}")));
    let rename = |title: &str| {
        let session_id = SessionId::new("s").unwrap();
        ClientMessage::RenameSession(RenameSession { session_id, title: title.to_owned() })
    };
    assert_eq!(admitted(rename("cafe\u{301}")), Ok(rename("café")));
    for bad in ["\u{200B}", "\u{202E} ", &"x".repeat(201), &"\u{FB2C}".repeat(100)] {
        assert_eq!(refusal(rename(bad)).0, ErrorCode::InvalidRequest, "{bad:?}");
    }
}

#[test]
fn an_id_that_shows_something_else_than_it_says_is_refused() {
    let ping = || ClientMessage::Ping(protocol::client::Ping {});
    for (id, fits) in [("é-1", true), ("a\u{202E}b", false), ("e\u{301}", false), ("a\u{E0041}", false)] {
        assert_eq!(admit(&RequestId::new(id).unwrap(), ping(), LIMITS).is_ok(), fits, "{id:?}");
    }
}

/// Characters of all kinds, those that matter here often.
fn any_text() -> impl Strategy<Value = String> {
    let special = "\r\n\t\0\u{1B}\u{85}\u{AD}\u{202E}\u{2066}\u{200B}\u{200D}\u{FE0F}\u{E0100}\u{E0067}\u{E007F}\u{1F3F4}\
                   e\u{301}\u{323}\u{34F}\u{1112}\u{1161}\u{11AB}\u{958}\u{FB2C}\u{1D160}\u{1D173}";
    let special: Vec<char> = special.chars().collect();
    let piece = prop_oneof![
        prop::sample::select(special).prop_map(String::from),
        any::<char>().prop_map(String::from),
        prop::sample::select(FLAGS.to_vec()).prop_map(str::to_owned),
        prop::sample::select(ORDINARY.to_vec()).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(crate::testing::cases(512))]

    #[test]
    fn what_is_clean_stays_clean(text in any_text()) {
        let once = clean(&text).into_owned();
        prop_assert_eq!(&*clean(&once), once.as_str());
        let line = one_line(text);
        prop_assert_eq!(one_line(line.clone()), line);
    }

    #[test]
    fn nothing_grows_beyond_what_normalization_may(text in any_text()) {
        // Unicode's own bound of form C, in bytes of UTF-8.
        prop_assert!(clean(&text).len() <= 3 * text.len());
    }

    #[test]
    fn nothing_hidden_is_left(text in any_text()) {
        let clean = clean(&text);
        let mut plain = clean.to_string();
        for flag in FLAGS {
            plain = plain.replace(flag, "");
        }
        prop_assert!(!plain.chars().any(is_removed_or_break), "{:?}", clean);
        let invisible: Vec<bool> = plain.chars().map(is_invisible).collect();
        prop_assert!(!invisible.windows(4).any(|run| run.iter().all(|is| *is)), "{:?}", clean);
    }

    #[test]
    fn ordinary_text_stays_whatever_stands_around_it(
        parts in prop::collection::vec(prop::sample::select(ORDINARY.to_vec()), 1..6),
    ) {
        let text = parts.join(" ");
        prop_assert_eq!(&*clean(&text), text.as_str());
    }

    #[test]
    fn visible_text_loses_nothing_but_its_form(text in "\\PC{0,40}") {
        let kept: String = text.chars().filter(|c| !is_removed(*c) && !is_invisible(*c)).nfd().collect();
        let clean: String = clean(&text).chars().filter(|c| !is_invisible(*c)).nfd().collect();
        prop_assert_eq!(clean, kept);
    }
}

fn is_removed_or_break(c: char) -> bool {
    is_removed(c) && c != '\n'
}

/// What is left of these instructions, with a message and with a question that is asked again.
fn instructed(prompt: &str, most: u32) -> Result<Option<String>, (ErrorCode, String)> {
    let limits = MessageLimits { system_prompt_chars: most, ..LIMITS };
    let admitted = |message| admit(&RequestId::new("r").unwrap(), message, limits);
    let ClientMessage::SendMessage(mut message) = send("hi") else { unreachable!("it sends a message") };
    message.system_prompt = Some(prompt.to_owned());
    let again = Regenerate {
        session_id: SessionId::new("s").unwrap(),
        message_id: MessageId::new("m").unwrap(),
        streaming: true,
        model: None,
        system_prompt: Some(prompt.to_owned()),
    };
    let of = |admitted: Result<ClientMessage, Box<ErrorData>>| match admitted {
        Ok(ClientMessage::SendMessage(send)) => Ok(send.system_prompt),
        Ok(ClientMessage::Regenerate(again)) => Ok(again.system_prompt),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err((error.code, error.message)),
    };
    let (first, second) = (of(admitted(message.into())), of(admitted(again.into())));
    assert_eq!(first, second);
    first
}

#[test]
fn instructions_of_a_persons_own_are_made_plain_and_bounded() {
    assert_eq!(instructed("Be\u{2066} brief.\r\n", 20), Ok(Some("Be brief.\n".into())));
    assert_eq!(instructed(" \u{200B}\n", 20), Ok(None));
    assert_eq!(instructed(&"ü".repeat(20), 20), Ok(Some("ü".repeat(20))));
    let (code, text) = instructed(&"ü".repeat(21), 20).unwrap_err();
    assert_eq!((code, text.contains("21 characters, the most is 20")), (ErrorCode::MessageTooLarge, true), "{text}");
    let (code, text) = instructed("x", 0).unwrap_err();
    assert_eq!((code, text.contains("Leave systemPrompt out")), (ErrorCode::InvalidRequest, true), "{text}");
    assert_eq!(instructed("", 0), Ok(None));
}
