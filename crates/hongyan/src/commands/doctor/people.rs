//! What people can learn of each other, and who may command.

use gateway::{AccessSettings, DmScope, RouteSettings, SessionScope};
use serde_json::{Value, json};

use super::{Finding, Verdict};
use crate::rules;
use crate::texts::t;

/// How a scope is made what it should be.
const SEPARATE: &str = "hongyan config set session.dmScope per-account-channel-peer";

/// Looks at what the configuration says of people, of its sections that can be
/// used.
pub(super) fn all(root: &Value) -> Vec<Finding> {
    let mut findings = match rules::route(root) {
        Ok(route) => memory(&route),
        Err(err) => vec![Finding::fault("scope", err)],
    };
    match rules::access(root) {
        Ok(access) => findings.extend(owner(&access)),
        Err(err) => findings.push(Finding::fault("access", err)),
    }
    findings
}

/// Whether one person's words can be told to another.
fn memory(route: &RouteSettings) -> Vec<Finding> {
    let scope = route.session.dm_scope;
    let of_all = if route.session.scope == SessionScope::Global {
        let text = t!("doctor.scope.global");
        Finding::bad("scope", Verdict::Warning, text, "hongyan config unset session.scope")
    } else {
        match scope {
            DmScope::Main => {
                Finding::bad("scope", Verdict::Warning, t!("doctor.scope.main"), SEPARATE)
            }
            DmScope::PerPeer | DmScope::PerChannelPeer => {
                let scope = json!(scope);
                let scope = scope.as_str().unwrap_or_default();
                Finding::good("scope", t!("doctor.scope.peer", scope = scope))
            }
            DmScope::PerAccountChannelPeer => Finding {
                check: "scope",
                verdict: Verdict::Note,
                text: t!("doctor.scope").into_owned(),
                fix: None,
            },
        }
    };
    let bindings = route.bindings.iter().enumerate();
    let shared = bindings.filter(|(_, it)| it.session.dm_scope == Some(DmScope::Main));
    let shared = shared.map(|(index, _)| {
        let text = t!("doctor.scope.binding", index = index);
        let fix = format!("hongyan config unset \"bindings[{index}].session.dmScope\"");
        Finding::bad("scope", Verdict::Warning, text, fix)
    });
    std::iter::once(of_all).chain(shared).collect()
}

/// Whether somebody is named who may command, and what of the lists cannot be read.
fn owner(access: &AccessSettings) -> Vec<Finding> {
    let unread = access.faults().map(|fault| {
        let text = t!("doctor.access", why = fault);
        Finding::bad("access", Verdict::Fault, text, t!("hint.config"))
    });
    let anybody = "ID".into();
    let to_name = access.owner_to_configure(&weixin::CHANNEL_ID.into(), &anybody);
    let owner = match to_name {
        None => Finding::good("owner", t!("doctor.owner")),
        Some(owner) => {
            let entry = json!([owner.entry]);
            let fix = format!("hongyan config set commands.ownerAllowFrom '{entry}'");
            Finding::bad("owner", Verdict::Note, t!("doctor.owner.none"), fix)
        }
    };
    unread.chain([owner]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(root: Value) -> Vec<(&'static str, Verdict)> {
        all(&root).iter().map(|it| (it.check, it.verdict)).collect()
    }

    #[test]
    fn a_memory_that_people_share_is_warned_of_wherever_it_is_said() {
        let owner = ("owner", Verdict::Note);
        assert_eq!(verdicts(json!({})), [("scope", Verdict::Note), owner]);
        let of = |session: Value| verdicts(json!({ "session": session }))[0];
        assert_eq!(of(json!({"dmScope": "main"})), ("scope", Verdict::Warning));
        assert_eq!(of(json!({"scope": "global"})), ("scope", Verdict::Warning));
        assert_eq!(of(json!({"dmScope": "per-peer"})), ("scope", Verdict::Good));
        let binding = json!({
            "agentId": "main", "match": {"channel": "weixin"}, "session": {"dmScope": "main"},
        });
        let found = verdicts(json!({ "bindings": [binding] }));
        assert_eq!(found, [("scope", Verdict::Note), ("scope", Verdict::Warning), owner]);
    }

    #[test]
    fn an_owner_is_named_or_it_is_said_how() {
        let named = json!({"commands": {"ownerAllowFrom": ["weixin:ann"]}});
        assert_eq!(verdicts(named)[1], ("owner", Verdict::Good));
        let fix = all(&json!({}))[1].fix.clone().unwrap();
        let expected = "hongyan config set commands.ownerAllowFrom '[\"openclaw-weixin:ID\"]'";
        assert_eq!(fix, expected);
    }
}
