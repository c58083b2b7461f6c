//! Holds values against the part of JSON Schema that the document uses.

use serde_json::Value;

/// Says why a value does not fit, if it does not.
pub(super) fn check(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let schema = resolved(document, schema);
    if let Some(any) = schema["anyOf"].as_array() {
        let fits = any.iter().any(|schema| check(document, schema, value).is_ok());
        return if fits { Ok(()) } else { Err(format!("{value} fits none of {any:?}")) };
    }
    let is_of_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        other => panic!("a type that is not known here: {other:?}"),
    };
    if !is_of_type {
        return Err(format!("{value} is no {}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Err(format!("{value} is none of {words:?}"));
    }
    let number = value.as_i64();
    let least = schema["minimum"].as_i64();
    if number.zip(least).is_some_and(|(number, least)| number < least) {
        return Err(format!("{value} is less than {least:?}"));
    }
    for item in value.as_array().into_iter().flatten() {
        check(document, &schema["items"], item)?;
    }
    object(document, schema, value)
}

fn object(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Some(fields) = value.as_object() else { return Ok(()) };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            return Err(format!("{name} is missing"));
        }
    }
    for (name, field) in fields {
        let known = &schema["properties"][name];
        let other = &schema["additionalProperties"];
        let schema = match (known.is_null(), other) {
            (false, _) => known,
            (true, Value::Bool(false)) => return Err(format!("{name} is not known")),
            (true, Value::Object(_)) => other,
            (true, _) => continue,
        };
        check(document, schema, field).map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(())
}

/// Follows a reference into the document.
pub(super) fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
        None => schema,
    }
}
