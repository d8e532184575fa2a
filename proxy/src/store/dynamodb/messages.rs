//! Messages, and texts that are too long for one item.

use aws_sdk_dynamodb::types::AttributeValue;
use protocol::{Message, MessageId, RequestId, Role, SessionId};
use serde::de::DeserializeOwned;
use tracing::warn;

use super::{
    DynamoStore, EXPIRES,
    cuts::Cuts,
    item::{Attributes, Item, n, s, unreadable},
    keys::{self, Key, MESSAGES, SORT},
};
use crate::{
    principal::Owner,
    store::{Kept, Page, StoreError, kept::Latest},
};

/// The longest text in one item, in bytes; a longer one is kept in parts. DynamoDB takes items of 400 KB with all they have.
pub const MAX_TEXT_BYTES: usize = 350 * 1024;

/// The most places of one message that are looked at.
const MAX_PLACES: usize = 10;

/// How often a text is looked for whose parts are replaced while they are read.
const MAX_READS: usize = 3;

/// A text as attributes of an item.
#[derive(Debug, Clone)]
pub(super) enum Text {
    /// Itself.
    Whole(String),
    /// The name of its parts, and how many there are.
    Parts(String, usize),
}

impl Text {
    /// Adds it to an item.
    pub(super) fn add_to(&self, item: &mut Item) {
        let attributes: Vec<(&str, AttributeValue)> = match self {
            Self::Whole(text) => vec![("text", s(text))],
            Self::Parts(token, count) => vec![("parts", s(token)), ("count", n(count))],
        };
        item.extend(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
}

/// Cuts a text into parts that fit into items.
fn cut(mut text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    while !text.is_empty() {
        let (part, rest) = text.split_at(text.floor_char_boundary(MAX_TEXT_BYTES));
        parts.push(part);
        text = rest;
    }
    parts
}

/// Where a message is: the item that is found by its id.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) session: SessionId,
    pub(super) life: String,
    pub(super) n: u64,
    pub(super) is_answer: bool,
}

impl Place {
    pub(super) fn of(item: &Item) -> Result<Self, StoreError> {
        Ok(Self {
            session: item.id("session")?,
            life: item.text("life")?.to_owned(),
            n: item.number("n")?,
            is_answer: item.has("is_answer"),
        })
    }

    /// As the item of the message `id`.
    pub(super) fn item(&self, owner: &Owner, id: &MessageId) -> Item {
        let mut item = keys::place(owner, id, &self.life).with([
            ("session", s(self.session.as_str())),
            ("life", s(&self.life)),
            ("n", n(self.n)),
        ]);
        if self.is_answer {
            item.insert("is_answer".to_owned(), n(1));
        }
        item
    }
}

/// A message as an item, whose text is written already. The id it was asked under is apart, because it changes.
pub(super) fn message_item(key: &Key, message: &Message, text: &Text) -> Item {
    let mut item = key.with([("id", s(message.message_id.as_str()))]);
    if let Some(request) = &message.request_id {
        item.insert("request".to_owned(), s(request.as_str()));
    }
    if message.role == Role::Assistant {
        item.insert("is_answer".to_owned(), n(1));
    }
    text.add_to(&mut item);
    item
}

impl DynamoStore {
    /// Writes the parts of a text that is too long for one item.
    pub(super) async fn write_text(
        &self,
        pk: &str,
        text: String,
        expires: Option<AttributeValue>,
    ) -> Result<Text, StoreError> {
        if text.len() <= MAX_TEXT_BYTES {
            return Ok(Text::Whole(text));
        }
        let token = self.unique();
        let parts = cut(&text);
        let item = |(n, part): (usize, &&str)| {
            let mut item = keys::part(pk, &token, n).with([("text", s(*part))]);
            item.extend(expires.clone().map(|expires| (EXPIRES.to_owned(), expires)));
            item
        };
        self.table.put_all(parts.iter().enumerate().map(item).collect()).await?;
        let count = parts.len();
        Ok(Text::Parts(token, count))
    }

    /// Deletes the parts of a text that an item does not have, or not any more.
    pub(super) async fn drop_text(&self, pk: &str, text: &Text) {
        let Text::Parts(token, count) = text else { return };
        let parts = (0..*count).map(|n| keys::part(pk, token, n)).collect();
        if let Err(error) = self.table.delete_all(parts).await {
            warn!(%error, "parts of a text are left in the table that nothing refers to");
        }
    }

    /// The text that an item has; none where its parts are gone.
    pub(super) async fn text_of(&self, pk: &str, item: &Item) -> Result<Option<String>, StoreError> {
        let Some(Text::Parts(token, count)) = parts_of(item)? else { return Ok(Some(item.text("text")?.to_owned())) };
        let parts = self.table.collect(self.table.beginning(pk, &keys::parts(&token)), count).await?;
        if parts.len() < count {
            return Ok(None);
        }
        parts.iter().map(|part| part.text("text").map(str::to_owned)).collect::<Result<_, _>>().map(Some)
    }

    /// Writes the text of a message.
    pub(super) async fn write_message(
        &self,
        conversation: &str,
        kept: &Kept,
        expires: Option<AttributeValue>,
    ) -> Result<Text, StoreError> {
        let mut kept = kept.clone();
        kept.message.request_id = None;
        let text = serde_json::to_string(&kept).map_err(unreadable)?;
        self.write_text(conversation, text, expires).await
    }

    /// The message in an item; none where it is gone meanwhile.
    async fn read_message(&self, pk: &str, item: Item) -> Result<Option<Message>, StoreError> {
        let read = self.read_text(pk, item).await?;
        Ok(read.map(|(message, request_id)| Message { request_id, ..message }))
    }

    /// What the text of a message's item says, and the id it was asked under.
    async fn read_text<T: DeserializeOwned>(
        &self,
        pk: &str,
        mut item: Item,
    ) -> Result<Option<(T, Option<RequestId>)>, StoreError> {
        for _ in 0..MAX_READS {
            if let Some(text) = self.text_of(pk, &item).await? {
                let request_id = item.has("request").then(|| item.id("request")).transpose()?;
                return Ok(Some((serde_json::from_str(&text).map_err(unreadable)?, request_id)));
            }
            match self.table.get(&super::sessions::key_of(&item)?).await? {
                Some(now) if now.get("parts") != item.get("parts") => item = now,
                _ => break,
            }
        }
        Ok(None)
    }

    pub(super) async fn read_messages(
        &self,
        owner: &Owner,
        session: &SessionId,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Result<Page<Message>, StoreError> {
        let kept = self.kept(owner, session).await?;
        let conversation = kept.conversation(owner);
        let place = match before {
            Some(id) => self.place(owner, &kept, id).await?,
            None => None,
        };
        let end = place.map_or(kept.last, |place| place.n.saturating_sub(1));
        let found = self.latest(&conversation, &kept.cuts, end, limit.saturating_add(1)).await?;
        let has_more = found.len() > limit;
        let mut items = Vec::new();
        for item in found.into_iter().take(limit) {
            items.extend(self.read_message(&conversation, item).await?);
        }
        items.reverse();
        Ok(Page { items, has_more })
    }

    pub(super) async fn read_conversation(
        &self,
        owner: &Owner,
        session: &SessionId,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Result<Vec<Kept>, StoreError> {
        let kept = self.kept(owner, session).await?;
        let conversation = kept.conversation(owner);
        let end = match before {
            Some(id) => self.place(owner, &kept, id).await?.ok_or(StoreError::MessageNotFound)?.n.saturating_sub(1),
            None => kept.last,
        };
        let mut latest = Latest::default();
        for item in self.latest(&conversation, &kept.cuts, end, limit).await? {
            let Some((mut kept, request_id)) = self.read_text::<Kept>(&conversation, item).await? else { continue };
            kept.message.request_id = request_id;
            if !latest.take(kept) {
                break;
            }
        }
        Ok(latest.oldest_first())
    }

    /// The items of the `most` latest messages up to the number `end`, the latest first.
    pub(super) async fn latest(
        &self,
        conversation: &str,
        cuts: &Cuts,
        mut end: u64,
        most: usize,
    ) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        loop {
            let wanted = most - found.len();
            let query = self.table.between(conversation, MESSAGES, &keys::message(conversation, end).sk);
            let items = self.table.collect(query.scan_index_forward(false), wanted).await?;
            let has_more = items.len() == wanted;
            for item in items {
                let number = number_of(&item)?;
                end = number.saturating_sub(1);
                if !cuts.has(number) {
                    found.push(item);
                }
            }
            if found.len() == most || !has_more {
                return Ok(found);
            }
        }
    }

    pub(super) async fn find_answer(
        &self,
        owner: &Owner,
        id: &MessageId,
    ) -> Result<Option<(SessionId, Message)>, StoreError> {
        for place in self.table.collect(self.table.all_of(&keys::places(owner, id)), MAX_PLACES).await? {
            let Place { session, life, n, is_answer } = Place::of(&place)?;
            if !is_answer {
                continue;
            }
            let conversation = keys::conversation(owner, &session, &life);
            let key = keys::message(&conversation, n);
            let (kept, item) = tokio::try_join!(self.in_life(owner, &session, &life), self.table.get(&key))?;
            if let Some(item) = item.filter(|_| kept.is_some_and(|kept| !kept.cuts.has(n))) {
                return Ok(self.read_message(&conversation, item).await?.map(|message| (session, message)));
            }
        }
        Ok(None)
    }
}

/// The number of a message's item.
pub(super) fn number_of(item: &Item) -> Result<u64, StoreError> {
    let number = item.text(SORT)?.strip_prefix(MESSAGES).and_then(|number| number.parse().ok());
    number.ok_or_else(|| unreadable("the number of a message"))
}

/// The parts that the text of an item has, if it is in parts.
pub(super) fn parts_of(item: &Item) -> Result<Option<Text>, StoreError> {
    Ok(match item.find_text("parts") {
        Some(token) => Some(Text::Parts(token.to_owned(), item.number("count")?)),
        None => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        let text = format!("a{}", "ä".repeat(MAX_TEXT_BYTES));
        let parts = cut(&text);
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|part| part.len() <= MAX_TEXT_BYTES));
        assert_eq!(parts.concat(), text);
        assert_eq!(cut(""), [""; 0]);
    }
}
