//! How many there are of each owner.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use crate::principal::Owner;

/// How many there are of each user and of each organisation. Who has none takes no room.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    of_user: HashMap<Owner, usize>,
    of_organization: HashMap<Arc<str>, usize>,
}

impl Counts {
    /// One more of `owner`'s.
    pub(crate) fn add(&mut self, owner: &Owner) {
        *self.of_user.entry(owner.clone()).or_default() += 1;
        *self.of_organization.entry(owner.organization.clone()).or_default() += 1;
    }

    /// One less.
    pub(crate) fn take(&mut self, owner: &Owner) {
        take(&mut self.of_user, owner);
        take(&mut self.of_organization, &owner.organization);
    }

    /// How many there are of the user and of the organisation.
    pub(crate) fn of(&self, owner: &Owner) -> (usize, usize) {
        let of = |count: Option<&usize>| count.copied().unwrap_or(0);
        (of(self.of_user.get(owner)), of(self.of_organization.get(&owner.organization)))
    }

    /// Whether nothing is left behind of those that are gone.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.of_user.is_empty() && self.of_organization.is_empty()
    }
}

fn take<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
