//! Where items are. The table of [`super`] lists them.

use std::fmt::Write;

use aws_sdk_dynamodb::types::AttributeValue;
use protocol::{MessageId, RequestId, SessionId, Timestamp};
use sha2::{Digest, Sha256};

use super::item::{Item, s};
use crate::principal::Owner;

/// The attribute of the partition key.
pub const PARTITION: &str = "pk";

/// The attribute of the sort key.
pub const SORT: &str = "sk";

/// How many partitions the open answers, and the calls of one day, are spread over. A partition takes 1,000 writes a second.
pub(super) const SHARDS: u8 = 16;

/// The longest name in a key, in bytes; of a longer one its hash is taken. Keys have at most 1,024 bytes.
const MAX_NAME_BYTES: usize = 200;

/// The key of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    /// As attributes.
    pub(super) fn item(&self) -> Item {
        [(PARTITION, &self.pk), (SORT, &self.sk)].map(|(name, text)| (name.to_owned(), s(text))).into()
    }

    /// An item of this key and these attributes.
    pub(super) fn with<const N: usize>(&self, attributes: [(&str, AttributeValue); N]) -> Item {
        let mut item = self.item();
        item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
        item
    }
}

/// A name without `#`, which stands between names in keys. Different names stay different.
fn name(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'@' => encoded.push(byte.into()),
            // Writing to a string does not fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    if encoded.len() > MAX_NAME_BYTES { format!("~{}", hex(&Sha256::digest(text))) } else { encoded }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn owner_name(owner: &Owner) -> String {
    format!("{}#{}", name(&owner.organization), name(&owner.user))
}

fn shard_of(text: &str) -> u8 {
    Sha256::digest(text)[0] % SHARDS
}

/// The partition of an owner's sessions.
pub(super) fn sessions_of(owner: &Owner) -> String {
    format!("owner#{}", owner_name(owner))
}

/// A session.
pub(super) fn session(owner: &Owner, id: &SessionId) -> Key {
    Key::new(sessions_of(owner), format!("session#{id}"))
}

/// The partition of what was said in one life of a session: one that is made again after it was deleted has another.
pub(super) fn conversation(owner: &Owner, id: &SessionId, life: &str) -> String {
    format!("conversation#{}#{id}#{life}", owner_name(owner))
}

/// The sort key that the messages of a conversation begin with.
pub(super) const MESSAGES: &str = "message#";

/// The `n`th message of a conversation.
pub(super) fn message(conversation: &str, n: u64) -> Key {
    Key::new(conversation, format!("{MESSAGES}{n:010}"))
}

/// What was asked under an id in a conversation.
pub(super) fn asked(conversation: &str, request: &RequestId) -> Key {
    Key::new(conversation, format!("asked#{request}"))
}

/// The sort key that the parts of a text begin with.
pub(super) fn parts(token: &str) -> String {
    format!("part#{token}#")
}

/// A part of a text that is too long for one item.
pub(super) fn part(pk: &str, token: &str, n: usize) -> Key {
    Key::new(pk, format!("{}{n:03}", parts(token)))
}

/// The partition of the places of a message: one, unless a message of its id was in a session that is being deleted.
pub(super) fn places(owner: &Owner, id: &MessageId) -> String {
    format!("place#{}#{id}", owner_name(owner))
}

/// Where a message is.
pub(super) fn place(owner: &Owner, id: &MessageId, life: &str) -> Key {
    Key::new(places(owner, id), life)
}

/// The partition of the text of an answer under way.
pub(super) fn checkpoints(owner: &Owner, id: &MessageId) -> String {
    format!("checkpoints#{}#{id}", owner_name(owner))
}

/// The sort key that checkpoints begin with.
pub(super) const CHECKPOINTS: &str = "checkpoint#";

/// The checkpoint that ends with the event `seq`.
pub(super) fn checkpoint(pk: &str, seq: u64) -> Key {
    Key::new(pk, format!("{CHECKPOINTS}{seq:020}"))
}

/// A partition of open answers.
pub(super) fn open_answers(shard: u8) -> String {
    format!("open#{shard:02}")
}

/// An open answer.
pub(super) fn open_answer(owner: &Owner, id: &MessageId) -> Key {
    let name = format!("{}#{id}", owner_name(owner));
    Key::new(open_answers(shard_of(&name)), name)
}

/// The partition of what is being deleted.
pub(super) const DELETIONS: &str = "deleting";

/// A session that is being deleted.
pub(super) fn deletion(owner: &Owner, id: &SessionId, life: &str) -> Key {
    Key::new(DELETIONS, format!("{}#{id}#{life}", owner_name(owner)))
}

/// Messages of a session, from the `first`th on, that are being deleted.
pub(super) fn cut(owner: &Owner, id: &SessionId, life: &str, first: u64) -> Key {
    let Key { pk, sk } = deletion(owner, id, life);
    Key::new(pk, format!("{sk}#{first:010}"))
}

/// The partition of revocations.
pub(super) const REVOCATIONS: &str = "revoked";

/// The sort key that revocations of a point in time begin with.
pub(super) fn revoked_at(at: Timestamp) -> String {
    format!("{:015}#", at.unix_ms())
}

/// A revocation; `mark` tells it from others of the same time.
pub(super) fn revocation(at: Timestamp, mark: &str) -> Key {
    Key::new(REVOCATIONS, format!("{}{mark}", revoked_at(at)))
}

/// An account.
pub(super) fn account(key: &str) -> Key {
    Key::new(format!("account#{key}"), "account")
}

/// The partition of the days on which anything was called.
pub(super) const DAYS: &str = "days";

/// The day of a point in time, as in `2026-11-23`.
pub(super) fn day_of(time: Timestamp) -> String {
    time.to_string().chars().take("2026-11-23".len()).collect()
}

/// A day on which something was called.
pub(super) fn day(day: &str) -> Key {
    Key::new(DAYS, day)
}

/// Which partition of a day has the calls of this owner.
pub(super) fn shard_of_calls(owner: &Owner) -> u8 {
    shard_of(&owner_name(owner))
}

/// A partition of one day's calls.
pub(super) fn calls(day: &str, shard: u8) -> String {
    format!("calls#{day}#{shard:02}")
}

/// The sort key that an organisation's calls begin with, or those of one of its users.
pub(super) fn calls_of(organization: &str, user: Option<&str>) -> String {
    let user = user.map(|user| format!("{}#", name(user)));
    format!("{}#{}", name(organization), user.unwrap_or_default())
}

/// The calls for one answer.
pub(super) fn bill(owner: &Owner, asked: Timestamp, id: &MessageId) -> Key {
    let of_owner = calls_of(&owner.organization, Some(&owner.user));
    Key::new(calls(&day_of(asked), shard_of_calls(owner)), format!("{of_owner}{:015}#{id}", asked.unix_ms()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owner(organization: &str, user: &str) -> Owner {
        Owner { organization: organization.into(), user: user.into() }
    }

    #[test]
    fn keys_can_be_read_and_long_names_are_hashed() {
        assert_eq!(sessions_of(&owner("acme", "ann@acme.org")), "owner#acme#ann@acme.org");
        assert_eq!(sessions_of(&owner("a#b", "ü%")), "owner#a%23b#%C3%BC%25");
        let long = sessions_of(&owner(&"a".repeat(MAX_NAME_BYTES + 1), &"#".repeat(MAX_NAME_BYTES)));
        assert_eq!(long.len(), "owner##".len() + 2 * "~".len() + 2 * 64);
        assert_eq!(day_of(Timestamp::from_unix_ms(1_795_426_200_007)), "2026-11-23");
    }

    #[test]
    fn the_longest_keys_are_taken() {
        let longest = owner(&"a".repeat(MAX_NAME_BYTES), &"a".repeat(MAX_NAME_BYTES));
        let id = MessageId::new("a".repeat(MessageId::MAX_CHARS)).unwrap();
        let session = SessionId::new("a".repeat(SessionId::MAX_CHARS)).unwrap();
        for key in [
            bill(&longest, Timestamp::MAX, &id),
            open_answer(&longest, &id),
            deletion(&longest, &session, "0123456789abcdef"),
            cut(&longest, &session, "0123456789abcdef", u64::MAX),
            account(&"a".repeat(700)),
        ] {
            assert!(key.pk.len() <= 2_048 && key.sk.len() <= 1_024, "{key:?}");
        }
    }

    proptest! {
        #[test]
        fn different_owners_have_different_keys(a in "[a#%~]{0,3}", b in "[a#%~]{0,3}", c in "[a#%~]{0,3}", d in "[a#%~]{0,3}") {
            let same = (&a, &b) == (&c, &d);
            prop_assert_eq!(sessions_of(&owner(&a, &b)) == sessions_of(&owner(&c, &d)), same);
            prop_assert_eq!(calls_of(&a, Some(&b)).starts_with(&calls_of(&c, None)), a == c);
        }
    }
}
