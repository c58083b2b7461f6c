//! How values and expectations are called.

use serde_json::Value;

use crate::schema::At;

/// Returns the kind of a value.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Says whether a value is of the type that a schema asks for, if it does.
pub(super) fn is_of_type(at: At<'_>, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Some(name) => name == kind(value),
        None => true,
    };
    match at.get("type") {
        None => true,
        Some(Value::Array(types)) => types.iter().any(is),
        Some(one) => is(one),
    }
}

/// Says whether a value is among those that a schema lists, if it does.
pub(super) fn is_one_of(at: At<'_>, value: &Value) -> bool {
    let listed = at.get("enum").and_then(Value::as_array);
    listed.is_none_or(|all| all.contains(value)) && at.get("const").is_none_or(|it| it == value)
}

/// Says what is wrong with a value of another type, or with one not listed.
pub(super) fn mismatch(at: At<'_>, value: &Value) -> String {
    if is_of_type(at, value) && at.get("enum").is_some() {
        return format!("Invalid option: expected {}", expected(at));
    }
    format!("Invalid input: expected {}, received {}", expected(at), kind(value))
}

/// Says what a schema asks for.
pub(super) fn expected(at: At<'_>) -> String {
    if let Some(value) = at.get("const") {
        return value.to_string();
    }
    if let Some(values) = at.get("enum").and_then(Value::as_array) {
        let values: Vec<_> = values.iter().map(ToString::to_string).collect();
        return format!("one of {}", values.join("|"));
    }
    match at.get("type") {
        Some(Value::Array(types)) => {
            let types: Vec<_> = types.iter().filter_map(Value::as_str).collect();
            types.join("|")
        }
        Some(Value::String(name)) => name.clone(),
        Some(_) | None => match at.reference() {
            Some(schema) if schema.get("$ref").is_none() => expected(schema),
            Some(_) | None => "another value".to_owned(),
        },
    }
}

/// Returns the name that was perhaps meant.
pub(super) fn nearest<'n>(key: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let key = key.to_lowercase();
    let most = (key.chars().count() / 3).clamp(1, 3);
    let far = |name: &str| strsim::damerau_levenshtein(&key, &name.to_lowercase());
    let all = names.map(|name| (far(name), name));
    let (distance, name) = all.min_by_key(|(distance, _)| *distance)?;
    (distance <= most).then(|| name.to_owned())
}
