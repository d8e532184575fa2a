//! The body of a request with the fields of every object in one order.
//!
//! The SDK keeps the schemas and arguments of tools in hash maps, so that their fields would come in another order each time: Bedrock would find
//! nothing in its cache, which compares byte for byte.

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeTransmitInterceptorContextMut},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};
use serde_json::{Map, Value};

/// Puts them in order, before the request is signed.
#[derive(Debug)]
pub(super) struct InOrder;

impl Intercept for InOrder {
    fn name(&self) -> &'static str {
        "InOrder"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let Some(body) = request.body().bytes() else { return Ok(()) };
        let ordered = serde_json::to_vec(&in_order(serde_json::from_slice(body)?))?;
        request.headers_mut().insert("content-length", ordered.len().to_string());
        *request.body_mut() = SdkBody::from(ordered);
        Ok(())
    }
}

/// The same with the fields of every object in the order of their names.
fn in_order(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name, in_order(value))).collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(Map::from_iter(fields))
        }
        Value::Array(values) => values.into_iter().map(in_order).collect(),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_in_the_order_of_their_names_however_deep() {
        let value = serde_json::from_str(r#"{"b":[{"d":1,"c":{"f":0.5,"e":"ü"}}],"a":null}"#).unwrap();
        assert_eq!(in_order(value).to_string(), r#"{"a":null,"b":[{"c":{"e":"ü","f":0.5},"d":1}]}"#);
    }
}
