//! Administrators say that tokens count no more.

use http_body_util::{BodyExt, Limited};
use hyper::{Response, StatusCode, body::Incoming};
use protocol::ErrorCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::{info, warn};

use super::{
    Body,
    admin::{Administrator, Refused, as_json},
};
use crate::{
    auth::RevokeError,
    observe::Target,
    principal::{MAX_NAME_BYTES, Owner},
    service::Service,
    store::{Revocation, Revoked},
};

/// The longest request, in bytes.
const MAX_BODY_BYTES: usize = 4 * 1024;

/// What counts no more: one token, those of a user, or those of an organisation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    organization: Option<String>,
    user: Option<String>,
    token: Option<String>,
}

/// What was revoked and is not forgotten yet.
pub(super) async fn list(service: &Service, who: &Administrator) -> Result<Response<Body>, Refused> {
    let all = service.revocations().await.map_err(|error| failed(&error))?;
    let theirs = |revocation: &&Revocation| match who {
        Administrator::OfAll => true,
        Administrator::Of(own) => *revocation.what.organization() == **own,
    };
    let list: Vec<_> = all.iter().filter(theirs).map(shown).collect();
    Ok(as_json(StatusCode::OK, &json!({ "revocations": list })))
}

/// Revokes.
pub(super) async fn add(service: &Service, who: &Administrator, body: Incoming) -> Result<Response<Body>, Refused> {
    let body = Limited::new(body, MAX_BODY_BYTES).collect().await.map_err(|_| {
        (StatusCode::PAYLOAD_TOO_LARGE, format!("The request has to come whole, with at most {MAX_BODY_BYTES} bytes."))
    })?;
    let wrong = |sentence: String| (StatusCode::BAD_REQUEST, sentence);
    let wish: Wish = serde_json::from_slice(&body.to_bytes())
        .map_err(|error| wrong(format!("{error}. Send {{\"organization\": \"…\", \"user\": \"…\"}}.")))?;
    let organization = who.organization(wish.organization)?;
    let organization = organization.ok_or_else(|| wrong("Say whose: organization is missing.".to_owned()))?;
    let names = [Some(&organization), wish.user.as_ref(), wish.token.as_ref()];
    if names.into_iter().flatten().any(|name| name.is_empty() || name.len() > MAX_NAME_BYTES) {
        return Err(wrong(format!("Names have 1 to {MAX_NAME_BYTES} bytes.")));
    }
    let organization = organization.into();
    let what = match (wish.user, wish.token) {
        (None, None) => Revoked::Organization(organization),
        (Some(user), None) => Revoked::User(Owner { organization, user: user.into() }),
        (None, Some(id)) => Revoked::Token { organization, id: id.into() },
        (Some(_), Some(_)) => return Err(wrong("Name a user or a token, not both.".to_owned())),
    };
    let revocation = service.revoke(what).await.map_err(|error| failed(&error))?;
    info!(?revocation.what, "tokens were revoked");
    let mut response = as_json(StatusCode::CREATED, &shown(&revocation));
    response.extensions_mut().insert(target(&revocation.what));
    Ok(response)
}

fn target(what: &Revoked) -> Target {
    let organization = Some(what.organization().to_owned());
    let (user, token) = match what {
        Revoked::Organization(_) => (None, None),
        Revoked::User(owner) => (Some(owner.user.to_string()), None),
        Revoked::Token { id, .. } => (None, Some(id.to_string())),
    };
    Target { organization, user, token }
}

fn shown(revocation: &Revocation) -> Value {
    let Revocation { what, at, until } = revocation;
    let mut value = match what {
        Revoked::Token { organization, id } => json!({ "organization": organization, "token": id }),
        Revoked::User(Owner { organization, user }) => json!({ "organization": organization, "user": user }),
        Revoked::Organization(organization) => json!({ "organization": organization }),
    };
    value["at"] = json!(at);
    value["until"] = json!(until);
    value
}

fn failed(error: &RevokeError) -> Refused {
    match error {
        RevokeError::TooMany => (StatusCode::CONFLICT, format!("{error}.")),
        RevokeError::Store(_) => {
            warn!(%error, code = ErrorCode::Internal.as_str(), "an administrator got no answer");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}."))
        }
    }
}
