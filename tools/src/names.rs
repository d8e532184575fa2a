//! Names of tools as Bedrock takes them: 1 to 64 of `A-Z a-z 0-9 _ -`.

use sha2::{Digest, Sha256};

/// The longest name of a tool that Bedrock takes.
const MAX_BYTES: usize = 64;
/// `_` and the 8 digits by which names are told apart that would be the same otherwise.
const SUFFIX_BYTES: usize = 9;
const SEPARATOR: &str = "__";

/// The name of a server's tool on the wire: `server__tool`. Where something had to be replaced or cut, or the name could be read in
/// two ways, it ends in `_` and 8 digits of the SHA-256 of the exact name, so that different tools have different names.
#[must_use]
pub fn wire_name(server: &str, tool: &str) -> String {
    let plain = format!("{server}{SEPARATOR}{tool}");
    // The first separator has to be the one put in here, and an ending that looks like ours has to be ours.
    let is_plain = is_valid(&plain)
        && !server.is_empty()
        && !tool.is_empty()
        && !server.contains(SEPARATOR)
        && !server.ends_with('_')
        && !has_suffix(&plain);
    match is_plain {
        true => plain,
        false => with_suffix(&plain, &format!("{server}/{tool}")),
    }
}

/// The name on the wire of `server/tool`. A name without a slash is one already, and stays what it is if Bedrock takes it.
#[must_use]
pub fn wire_name_of(qualified: &str) -> String {
    match qualified.split_once('/') {
        Some((server, tool)) => wire_name(server, tool),
        None if is_valid(qualified) => qualified.to_owned(),
        None => with_suffix(qualified, qualified),
    }
}

fn is_valid(name: &str) -> bool {
    (1..=MAX_BYTES).contains(&name.len()) && name.bytes().all(is_allowed)
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn has_suffix(name: &str) -> bool {
    let Some(start) = name.len().checked_sub(SUFFIX_BYTES) else { return false };
    let suffix = &name.as_bytes()[start..];
    suffix[0] == b'_' && suffix[1..].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn with_suffix(name: &str, exact: &str) -> String {
    let digest = hex::encode(Sha256::digest(exact.as_bytes()));
    let allowed = |character: char| u8::try_from(character).is_ok_and(is_allowed);
    let kept: String = name
        .chars()
        .take(MAX_BYTES - SUFFIX_BYTES)
        .map(|character| if allowed(character) { character } else { '_' })
        .collect();
    format!("{kept}_{}", &digest[..SUFFIX_BYTES - 1])
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_name_is_kept() {
        assert_eq!(wire_name("github", "create_issue"), "github__create_issue");
        assert_eq!(wire_name_of("github/create_issue"), "github__create_issue");
        assert_eq!(wire_name_of("github__create_issue"), "github__create_issue");
    }

    #[test]
    fn names_that_could_be_mistaken_for_each_other_differ() {
        let pairs = [
            ("a", "b__c"),
            ("a__b", "c"),
            ("a_", "b"),
            ("a", "_b"),
            ("a", "__b"),
            ("a.b", "c"),
            ("a_b", "c"),
            ("a", "b.c"),
        ];
        let names: std::collections::HashSet<_> = pairs.iter().map(|(server, tool)| wire_name(server, tool)).collect();
        assert_eq!(names.len(), pairs.len(), "{names:?}");
    }

    #[test]
    fn a_tool_cannot_take_the_name_of_one_that_was_changed() {
        let changed = wire_name("s", "read file");
        let (_, copy) = changed.split_once(SEPARATOR).unwrap();
        assert_ne!(wire_name("s", copy), changed);
    }

    proptest! {
        #[test]
        fn is_valid_for_any_name(server in "[A-Za-z0-9_.-]{1,64}", tool in ".{1,200}") {
            let name = wire_name(&server, &tool);
            prop_assert!(is_valid(&name), "{name}");
            prop_assert_eq!(wire_name_of(&name), name.clone());
            prop_assert_eq!(wire_name_of(&format!("{server}/{tool}")), name);
        }

        #[test]
        fn is_another_for_every_tool(tools in proptest::collection::hash_set(("[a_.-]{1,4}|[a-z_.]{50,64}", "[a_/é]{1,4}|[a-z_]{60,70}"), 1..40)) {
            let mut seen = HashMap::new();
            for (server, tool) in tools {
                let name = wire_name(&server, &tool);
                if let Some(other) = seen.insert(name.clone(), (server.clone(), tool.clone())) {
                    prop_assert!(false, "{name}: {other:?} and {:?}", (server, tool));
                }
            }
        }

        #[test]
        fn leaves_a_name_that_bedrock_takes(name in "[a-zA-Z0-9_-]{1,64}") {
            prop_assert_eq!(wire_name_of(&name), name);
        }

        #[test]
        fn makes_a_name_of_anything(name in "[^/]{0,100}") {
            prop_assert!(is_valid(&wire_name_of(&name)));
        }
    }
}
