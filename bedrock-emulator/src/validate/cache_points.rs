//! Where cache points may be.

use crate::chat::{Block, Chat, Dialect, Tool};
use crate::error::{ApiError, ErrorType};
use crate::model::Model;

const MAX_CACHE_POINTS: usize = 4;

pub(super) fn check(chat: &Chat, model: &Model, dialect: Dialect) -> Result<(), ApiError> {
    let lives = lives(chat);
    if lives.is_empty() {
        return Ok(());
    }
    if !model.caching {
        return Err(ApiError::new(
            ErrorType::AccessDenied,
            "You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information.",
        ));
    }
    if lives.len() > MAX_CACHE_POINTS {
        let found = lives.len();
        return Err(ApiError::from_model(format!(
            "A maximum of 4 blocks with cache_control may be provided. Found {found}."
        )));
    }
    if lives.is_sorted_by(|one, next| one >= next) {
        return places(chat, dialect);
    }
    Err(ApiError::from_model(
        "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
    ))
}

/// Of each cache point, in the order in which the model reads them, whether it lives for an hour.
fn lives(chat: &Chat) -> Vec<bool> {
    let of_block = |block: &Block| if let Block::CachePoint { one_hour } = block { Some(*one_hour) } else { None };
    let of_tool = |tool: &Tool| if let Tool::CachePoint { one_hour } = tool { Some(*one_hour) } else { None };
    let blocks = chat.system.iter().chain(chat.messages.iter().flat_map(|message| &message.blocks));
    chat.tools.iter().filter_map(of_tool).chain(blocks.filter_map(of_block)).collect()
}

fn places(chat: &Chat, dialect: Dialect) -> Result<(), ApiError> {
    for (i, message) in chat.messages.iter().enumerate() {
        for (j, pair) in message.blocks.windows(2).enumerate() {
            match pair {
                [Block::Reasoning { .. } | Block::Redacted(_), Block::CachePoint { .. }] => {
                    return Err(ApiError::validation(
                        "Cache point cannot be inserted after reasoning block. Please remove the invalid cache point and try again.",
                    ));
                }
                // Converse makes text of these documents, and the cache point loses its place.
                [Block::Document(document), Block::CachePoint { .. }]
                    if dialect == Dialect::Converse && document.format != "pdf" =>
                {
                    return Err(ApiError::from_model(format!("messages.{i}.content.{}.type: Field required", j + 1)));
                }
                _ => {}
            }
        }
    }
    Ok(())
}
