//! The OpenAPI document, made from the table of operations.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::table::{Answer, Operation};
use super::{routes, schema};

/// Returns the document, for OpenAPI 3.1.
pub(super) fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
        let mut paths = Map::new();
        for operation in routes::operations() {
            let path = paths.entry(operation.path).or_insert_with(|| json!({}));
            path[operation.verb.method().as_str().to_lowercase()] = described(&operation);
        }
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Gateway control",
                "version": "1",
                "description": "How programs on this machine reach a running gateway. The address and a token stand in control.json of its state folder.",
            },
            "paths": paths,
            "components": {
                "schemas": schema::components(),
                "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            },
        })
    });
    &DOCUMENT
}

fn described(operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters(operation),
        "responses": {
            "200": { "description": "Done.", "content": content(&operation.answer) },
            "default": {
                "description": "Not done.",
                "content": { "application/json": { "schema": schema::named("Problem") } },
            },
        },
    });
    if let Some(scope) = operation.scope {
        described["security"] = json!([{ "token": [scope.name()] }]);
    }
    if let Some(body) = &operation.body {
        let content = json!({ "application/json": { "schema": body } });
        let is_required = body["required"].as_array().is_some_and(|names| !names.is_empty());
        described["requestBody"] = json!({ "required": is_required, "content": content });
    }
    described
}

fn content(answer: &Answer) -> Value {
    match answer {
        Answer::Json(schema) => json!({ "application/json": { "schema": schema } }),
        Answer::Text => json!({ "text/plain": { "schema": schema::text() } }),
        Answer::Events(schema) => json!({ "text/event-stream": { "schema": schema } }),
    }
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let in_path = operation.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": schema::name() }))
        .collect();
    let Some(query) = &operation.query else { return parameters };
    let required = query["required"].as_array().cloned().unwrap_or_default();
    for (name, schema) in query["properties"].as_object().into_iter().flatten() {
        let is_required = required.iter().any(|it| it == name);
        parameters.push(
            json!({ "name": name, "in": "query", "required": is_required, "schema": schema }),
        );
    }
    parameters
}
