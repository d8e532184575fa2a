//! What was used, for whoever may know it.

use protocol::{
    ErrorCode, ErrorData,
    client::{GroupBy, UsageQuery, UsageScope},
    server::{PrincipalRole, ServerMessage},
};

use super::{Outcome, Service};
use crate::{
    ledger::{Report, ReportError, report::range},
    observe,
    principal::{Identity, Owner},
    store::{CallsOf, CallsPage, StoreError},
};

impl Service {
    /// What the owner used, their organisation, or everybody, and how the owner's budgets stand.
    pub(super) async fn usage(&self, identity: &Identity, query: &UsageQuery) -> Outcome {
        let failed = |code, text: String| Outcome::Failed(ErrorData::new(code, text));
        let now = self.now();
        let (from, to) = match range(query.from, query.to, now) {
            Ok(range) => range,
            Err(text) => return failed(ErrorCode::InvalidRequest, text.to_owned()),
        };
        let scope = query.scope.unwrap_or(UsageScope::Own);
        if !may_see(identity.role, scope) {
            let text = "Your role does not let you see the usage of others. Ask for your own (scope \"own\").";
            return failed(ErrorCode::Forbidden, text.to_owned());
        }
        let Owner { organization, user } = &identity.owner;
        let of = CallsOf {
            organization: (scope != UsageScope::All).then(|| organization.to_string()),
            user: (scope == UsageScope::Own).then(|| user.to_string()),
            from,
            to,
        };
        let report = match self.report(&of, &groups(scope, query.group_by)).await {
            Ok(report) => report,
            Err(error @ ReportError::TooManyRows) => return failed(ErrorCode::InvalidRequest, format!("{error}.")),
            Err(ReportError::Store(error)) => return Outcome::from(Err(error)),
        };
        if scope != UsageScope::Own
            && let Some(caller) = observe::current_caller()
        {
            caller.read_usage(of.organization);
        }
        let budgets = self.runner.budgets.states(self.store(), &identity.owner, now).await;
        Outcome::from(budgets.map(|budgets| ServerMessage::Usage(report.into_response(budgets))))
    }

    /// Sums calls, whoever's they are. It is up to the caller who may ask.
    ///
    /// # Errors
    /// [`ReportError`].
    pub async fn report(&self, of: &CallsOf, by: &[GroupBy]) -> Result<Report, ReportError> {
        // Nobody closes it.
        let _place = self.reports.acquire().await;
        Report::make(self.store(), of, by).await
    }

    /// Some calls, whoever's they are, as of [`Store::calls`](crate::store::Store::calls). It is up to the caller who may ask.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn calls(&self, of: &CallsOf, after: Option<String>) -> Result<CallsPage, StoreError> {
        self.store().calls(of, after).await
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
