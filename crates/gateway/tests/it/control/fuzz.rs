//! Requests made from the document: right ones, and ones that are wrong in one
//! place. None of them may fail on our side.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use super::{SESSION, Scene, operations, schema};

/// How many requests are made.
const REQUESTS: u32 = 900;

/// What is wrong with a request.
#[derive(Clone, Debug)]
enum Fault {
    Nothing,
    /// One that nobody knows is added.
    Unknown(String),
    /// One is replaced by something else.
    Replaced(Index, Value),
    /// The body is not what it says.
    Bytes(Vec<u8>),
}

#[derive(Clone, Debug)]
struct Wanted {
    operation: Index,
    /// Where texts and numbers come from.
    texts: Vec<String>,
    numbers: Vec<i64>,
    fault: Fault,
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let fault = prop_oneof![
        2 => Just(Fault::Nothing),
        1 => "[a-z_]{1,12}".prop_map(|name| Fault::Unknown(format!("x_{name}"))),
        2 => (any::<Index>(), anything()).prop_map(|(at, value)| Fault::Replaced(at, value)),
        1 => vec(any::<u8>(), 1..64).prop_map(Fault::Bytes),
    ];
    let real = select(vec!["post", "bot", "friend", SESSION]).prop_map(str::to_owned);
    let texts = vec(prop_oneof![real, "\\PC{1,24}"], 16);
    (any::<Index>(), texts, vec(any::<i64>(), 16), fault)
        .prop_map(|(operation, texts, numbers, fault)| Wanted { operation, texts, numbers, fault })
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        "\\PC{0,64}".prop_map(Value::from),
        select(vec!["", "..", "/", "%00", "-1", "99999999999999999999"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-z]{1,4}", inner, 0..4).prop_map(|it| json!(it)),
        ]
    })
}

impl Wanted {
    /// Makes a value that fits.
    fn fitting(&mut self, schema: &Value) -> Value {
        let number = self.numbers.pop().unwrap_or_default();
        match schema["type"].as_str().unwrap() {
            "object" => {
                let mut fields = Map::new();
                let required = schema["required"].as_array().unwrap();
                for (n, (name, schema)) in
                    schema["properties"].as_object().unwrap().iter().enumerate()
                {
                    let is_left_out = !required.iter().any(|it| it == name) && number >> n & 1 == 1;
                    if !is_left_out {
                        fields.insert(name.clone(), self.fitting(schema));
                    }
                }
                fields.into()
            }
            "array" => vec![self.fitting(&schema["items"])].into(),
            "string" => match schema["enum"].as_array() {
                Some(words) => words[number.unsigned_abs() as usize % words.len()].clone(),
                None => self.texts.pop().unwrap_or_else(|| "post".to_owned()).into(),
            },
            "integer" => {
                let least = schema["minimum"].as_i64().unwrap_or(i64::MIN);
                let most = schema["maximum"].as_i64().unwrap_or(i64::MAX);
                number.clamp(least, most).into()
            }
            "boolean" => (number % 2 == 0).into(),
            other => panic!("a type that is not known here: {other}"),
        }
    }

    /// Puts the fault into an object of parameters.
    fn spoilt(&self, mut fields: Value) -> Value {
        let object = fields.as_object_mut().unwrap();
        match &self.fault {
            Fault::Nothing | Fault::Bytes(_) => {}
            Fault::Unknown(name) => {
                object.insert(name.clone(), true.into());
            }
            Fault::Replaced(at, value) if !object.is_empty() => {
                let name = object.keys().nth(at.index(object.len())).unwrap().clone();
                object.insert(name, value.clone());
            }
            Fault::Replaced(..) => {}
        }
        fields
    }
}

/// What a query looks like, as an object.
fn query_schema(operation: &Value) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    let parameters = operation["parameters"].as_array().unwrap();
    for parameter in parameters.iter().filter(|it| it["in"] == "query") {
        let name = parameter["name"].as_str().unwrap();
        properties.insert(name.into(), parameter["schema"].clone());
        required.extend((parameter["required"] == true).then_some(name));
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

fn request(
    scene: &Scene,
    document: &Value,
    wanted: &mut Wanted,
) -> (reqwest::RequestBuilder, bool) {
    let operations = operations(document);
    let (path, method, operation) = &operations[wanted.operation.index(operations.len())];
    let mut url = reqwest::Url::parse(&scene.base).unwrap();
    for part in path.split('/').skip(1) {
        let part = match part {
            "{login}" => "7".to_owned(),
            part if part.starts_with('{') => wanted.texts.pop().unwrap(),
            part => part.to_owned(),
        };
        // What the address itself would swallow is another request.
        let part = if part.chars().all(|c| c == '.') { "dots".to_owned() } else { part };
        url.path_segments_mut().unwrap().push(&part);
    }
    let query = wanted.fitting(&query_schema(operation));
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    let query = if body.is_null() { wanted.spoilt(query) } else { query };
    for (name, value) in query.as_object().unwrap() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        url.query_pairs_mut().append_pair(name, &text);
    }
    let request = scene.http.request(method.clone(), url).bearer_auth(&scene.token);
    let is_right = matches!(wanted.fault, Fault::Nothing);
    if body.is_null() {
        return (request, is_right);
    }
    if let Fault::Bytes(bytes) = &wanted.fault {
        let request = request.header("content-type", "application/json").body(bytes.clone());
        return (request, false);
    }
    let body = wanted.fitting(schema::resolved(document, body));
    (request.json(&wanted.spoilt(body)), is_right)
}

/// Whatever is sent, the answer comes, is not an error of ours, and when it
/// refuses, is a problem as the document has it. What fits is never refused for
/// its form, and what nobody knows always is.
#[test]
fn nothing_that_is_sent_makes_it_fail() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scene = runtime.block_on(Scene::new());
    runtime.block_on(scene.talk("hello"));
    let document = runtime.block_on(scene.document());
    let problem = json!({ "$ref": "#/components/schemas/Problem" });
    let mut config = ProptestConfig::with_cases(REQUESTS);
    config.failure_persistence = None;
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let outcome = runner.run(&wanted(), |mut wanted| {
        let (request, is_right) = request(&scene, &document, &mut wanted);
        let (status, text) = runtime.block_on(async {
            let response = request.send().await.unwrap();
            (response.status(), response.text().await.unwrap())
        });
        prop_assert!(!status.is_server_error(), "{status}: {text}");
        if status.is_success() {
            let is_unknown = matches!(wanted.fault, Fault::Unknown(_));
            prop_assert!(!is_unknown || text.is_empty(), "an unknown key was taken: {text}");
            return Ok(());
        }
        let told: Value = serde_json::from_str(&text).unwrap();
        let fits = schema::check(&document, &problem, &told);
        prop_assert!(fits.is_ok(), "{fits:?}: {told}");
        prop_assert!(!is_right || told["code"] != "invalid_params", "{told}");
        Ok(())
    });
    runtime.block_on(scene.stop());
    outcome.unwrap();
}
