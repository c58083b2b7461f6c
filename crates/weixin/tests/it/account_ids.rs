//! Account ids against vectors from the official plugin and its host.

use ilink::BotId;
use serde::Deserialize;
use weixin::account_id::{account_id, bot_id};

#[derive(Deserialize)]
struct Vector {
    raw: String,
    normalized: String,
    derived_raw: Option<String>,
}

#[test]
fn ids_are_normalised_as_the_official_plugin_does() {
    let vectors: Vec<Vector> =
        serde_json::from_str(include_str!("../vectors/account_id.json")).unwrap();
    assert_eq!(vectors.len(), 13);
    for vector in vectors {
        let account = account_id(&BotId::from(vector.raw.as_str()));
        assert_eq!(account.as_str(), vector.normalized, "of {:?}", vector.raw);
        let derived = bot_id(&account).map(|bot| bot.to_string());
        assert_eq!(derived, vector.derived_raw, "from {account}");
    }
}
