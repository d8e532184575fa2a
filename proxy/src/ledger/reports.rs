//! Reports for people, over sockets and through tools: what each may see, and how many are made at a time.

use std::sync::Arc;

use protocol::{
    Timestamp,
    client::{GroupBy, UsageQuery, UsageScope},
    server::{BudgetState, PrincipalRole},
};
use tokio::sync::Semaphore;

use super::{
    Budgets,
    report::{Report, ReportError, range},
};
use crate::{
    principal::Owner,
    store::{CallsOf, Store, StoreError},
};

/// How many reports of usage are made at a time; others wait. Each may read very many calls.
pub const MAX_REPORTS: usize = 4;

/// Why somebody gets no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// The time makes no sense.
    #[error("{0}")]
    Range(&'static str),
    /// The usage is not for them to see.
    #[error("Your role does not let you see the usage of others. Ask for your own (scope \"own\").")]
    Forbidden,
    /// There is none.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// Makes reports.
#[derive(Debug)]
pub struct Reports {
    store: Arc<dyn Store>,
    budgets: Budgets,
    places: Semaphore,
}

impl Reports {
    /// Out of the calls in `store`, and on how `budgets` stand.
    pub fn new(store: Arc<dyn Store>, budgets: Budgets) -> Self {
        Self { store, budgets, places: Semaphore::new(MAX_REPORTS) }
    }

    /// What somebody of this role used who is `owner`, or what their organisation or everybody used, and whose calls these were.
    ///
    /// # Errors
    /// [`UsageError`].
    pub async fn usage(
        &self,
        owner: &Owner,
        role: PrincipalRole,
        query: &UsageQuery,
        now: Timestamp,
    ) -> Result<(CallsOf, Report), UsageError> {
        let (from, to) = range(query.from, query.to, now).map_err(UsageError::Range)?;
        let scope = query.scope.unwrap_or(UsageScope::Own);
        if !may_see(role, scope) {
            return Err(UsageError::Forbidden);
        }
        let of = CallsOf {
            organization: (scope != UsageScope::All).then(|| owner.organization.to_string()),
            user: (scope == UsageScope::Own).then(|| owner.user.to_string()),
            from,
            to,
        };
        let report = self.make(&of, &groups(scope, query.group_by)).await?;
        Ok((of, report))
    }

    /// Sums calls, whoever's they are. It is up to the caller who may ask.
    ///
    /// # Errors
    /// [`ReportError`].
    pub async fn make(&self, of: &CallsOf, by: &[GroupBy]) -> Result<Report, ReportError> {
        // Nobody closes it.
        let _place = self.places.acquire().await;
        Report::make(self.store.as_ref(), of, by).await
    }

    /// How the budgets stand that hold for `owner`.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn budgets(&self, owner: &Owner, now: Timestamp) -> Result<Vec<BudgetState>, StoreError> {
        self.budgets.states(self.store.as_ref(), owner, now).await
    }

    /// The places for reports, so that a test can take them.
    #[cfg(test)]
    pub(crate) fn places(&self) -> &Semaphore {
        &self.places
    }
}

fn may_see(role: PrincipalRole, scope: UsageScope) -> bool {
    match scope {
        UsageScope::Own => true,
        UsageScope::Organization => role != PrincipalRole::User,
        UsageScope::All => role == PrincipalRole::Operator,
    }
}

/// What to sum by: users are unique within their organisation, sessions within their user.
fn groups(scope: UsageScope, by: GroupBy) -> Vec<GroupBy> {
    let within: &[GroupBy] = match (by, scope) {
        (GroupBy::User | GroupBy::Session, UsageScope::All) => &[GroupBy::Organization],
        _ => &[],
    };
    let user: &[GroupBy] = match (by, scope) {
        (GroupBy::Session, UsageScope::Organization | UsageScope::All) => &[GroupBy::User],
        _ => &[],
    };
    [within, user, &[by]].concat()
}
