//! Messages that gave way to another: which numbers of a session they have, and how they are deleted.

use protocol::MessageId;
use tracing::warn;

use super::{
    DynamoStore,
    item::{Attributes, Item, n, s},
    keys,
    messages::{Place, Text, parts_of},
    sessions::{DELETE_PAGE, KeptSession, key_of, owner_in},
};
use crate::{
    principal::Owner,
    store::{Ask, StoreError},
};

/// The numbers of messages that are gone: ranges, the lowest first, none next to another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cuts(Vec<(u64, u64)>);

impl Cuts {
    /// Out of an attribute, `2-5 8-8`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let range = |range: &str| {
            let (first, last) = range.split_once('-')?;
            Some((first.parse().ok()?, last.parse().ok()?))
        };
        text.split_whitespace().map(range).collect::<Option<_>>().map(Self)
    }

    /// As an attribute.
    pub(super) fn write(&self) -> String {
        let ranges: Vec<_> = self.0.iter().map(|(first, last)| format!("{first}-{last}")).collect();
        ranges.join(" ")
    }

    /// Whether the message of this number is gone.
    pub(super) fn has(&self, number: u64) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&number))
    }

    /// How many of the numbers from `first` to `last` are not gone.
    fn left(&self, first: u64, last: u64) -> u64 {
        let gone = self.0.iter().map(|(from, to)| (to.min(&last) + 1).saturating_sub(*from.max(&first)));
        (last + 1 - first).saturating_sub(gone.sum())
    }

    /// The same with all from `first` to `last` gone; `last` is the last there is.
    fn with(&self, first: u64, last: u64) -> Self {
        let mut before: Vec<_> = self.0.iter().copied().filter(|(from, _)| *from < first).collect();
        let joined = before.pop_if(|(_, to)| *to + 1 >= first).map_or(first, |(from, _)| from);
        before.push((joined, last));
        Self(before)
    }
}

/// What a question takes the place of.
#[derive(Debug)]
pub(super) struct Cut {
    /// The number of the first message that gives way, and of the last.
    range: (u64, u64),
    /// What is gone then.
    pub(super) cuts: Cuts,
    /// How many messages are left.
    pub(super) left: u32,
}

impl Cut {
    /// The number of the message before it, were none gone.
    pub(super) fn before(&self) -> u64 {
        self.range.0 - 1
    }

    /// The note that they are to be deleted.
    pub(super) fn note(&self, owner: &Owner, kept: &KeptSession) -> Item {
        let (first, last) = self.range;
        let id = &kept.session.session_id;
        keys::cut(owner, id, &kept.life, first).with([
            ("organization", s(&*owner.organization)),
            ("user", s(&*owner.user)),
            ("session", s(id.as_str())),
            ("life", s(&kept.life)),
            ("first", n(first)),
            ("last", n(last)),
        ])
    }
}

impl DynamoStore {
    /// What gives way to the question; nothing where it has its place at the end.
    pub(super) async fn cut(
        &self,
        owner: &Owner,
        kept: &KeptSession,
        Ask { replaces, question, .. }: &Ask,
    ) -> Result<Option<Cut>, StoreError> {
        let Some(id) = replaces else { return Ok(None) };
        let place = self.place(owner, kept, id).await?.filter(|place| place.is_answer == question.is_none());
        let first = place.ok_or(StoreError::MessageNotFound)?.n;
        let gone = u32::try_from(kept.cuts.left(first, kept.last)).unwrap_or(u32::MAX);
        let left = kept.session.message_count.saturating_sub(gone);
        Ok(Some(Cut { range: (first, kept.last), cuts: kept.cuts.with(first, kept.last), left }))
    }

    /// Where the message of this id is in the session, if it is there.
    pub(super) async fn place(
        &self,
        owner: &Owner,
        kept: &KeptSession,
        id: &MessageId,
    ) -> Result<Option<Place>, StoreError> {
        let item = self.table.get(&keys::place(owner, id, &kept.life)).await?;
        let place = item.as_ref().map(Place::of).transpose()?;
        Ok(place.filter(|place| !kept.cuts.has(place.n)))
    }

    /// Deletes messages that gave way; what fails now is gone on with later.
    pub(super) async fn delete_cut(&self, note: &Item) {
        if let Err(error) = self.finish_cut(note).await {
            warn!(%error, "messages that were replaced are not gone from the table yet");
        }
    }

    /// Deletes messages that gave way, then the note of them. It may be done again, and by several at a time.
    pub(super) async fn finish_cut(&self, note: &Item) -> Result<(), StoreError> {
        let owner = owner_in(note)?;
        let life = note.text("life")?;
        let conversation = keys::conversation(&owner, &note.id("session")?, life);
        let number = |name| note.number(name).map(|number| keys::message(&conversation, number).sk);
        let (first, last) = (number("first")?, number("last")?);
        loop {
            let query = self.table.between(&conversation, &first, &last);
            let found = self.table.keys(query, &["id", "parts", "count"], DELETE_PAGE).await?;
            if found.is_empty() {
                break;
            }
            // Messages last: they tell where the rest is.
            let mut rest = Vec::new();
            for item in &found {
                rest.push(keys::place(&owner, &item.id("id")?, life));
                if let Some(Text::Parts(token, count)) = parts_of(item)? {
                    rest.extend((0..count).map(|n| keys::part(&conversation, &token, n)));
                }
            }
            self.table.delete_all(rest).await?;
            self.table.delete_all(found.iter().map(key_of).collect::<Result<_, _>>()?).await?;
        }
        self.table.delete_all(vec![key_of(note)?]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_stays_cut_and_cuts_next_to_each_other_are_one() {
        let mut cuts = Cuts::default();
        for (first, last, written, left) in
            [(4, 6, "4-6", 3), (7, 7, "4-7", 1), (10, 11, "4-7 10-11", 2), (9, 12, "4-7 9-12", 2), (3, 13, "3-13", 3)]
        {
            assert_eq!(cuts.left(first, last), left, "{written}");
            cuts = cuts.with(first, last);
            assert_eq!(cuts.write(), written);
            assert_eq!(Cuts::read(written).as_ref(), Some(&cuts));
        }
        assert!([3, 13].iter().all(|n| cuts.has(*n)) && ![2, 14].iter().any(|n| cuts.has(*n)));
        assert_eq!((Cuts::read(""), Cuts::read("4")), (Some(Cuts::default()), None));
    }
}
