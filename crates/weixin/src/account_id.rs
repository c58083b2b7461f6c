//! Account ids as the official plugin and its host write them.

use contract::AccountId;
use ilink::BotId;

/// The longest account id.
const LONGEST: usize = 64;
/// What stands where nothing is left.
const DEFAULT: &str = "default";
/// Words that the host, written in JavaScript, does not take as keys.
const FORBIDDEN: [&str; 3] = ["__proto__", "constructor", "prototype"];

/// Returns the id of a bot's account, as it stands in file names and on the
/// command line: lower case, runs of anything but `a-z 0-9 _ -` as one dash,
/// dashes at either end dropped, at most 64 characters.
#[must_use]
pub fn account_id(bot: &BotId) -> AccountId {
    let lower = bot.as_str().trim().to_lowercase();
    let mut id = String::with_capacity(lower.len());
    let mut replaced = false;
    for c in lower.chars() {
        let plain = matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
        if plain {
            id.push(c);
        } else if !replaced {
            id.push('-');
        }
        replaced = !plain;
    }
    let id: String = id.trim_matches('-').chars().take(LONGEST).collect();
    if id.is_empty() || FORBIDDEN.contains(&id.as_str()) {
        return AccountId::from(DEFAULT);
    }
    AccountId::new(id)
}

/// Returns the id of the bot behind an account, if the account id shows it:
/// `b0f5-im-bot` stands for `b0f5@im.bot`.
#[must_use]
pub fn bot_id(account: &AccountId) -> Option<BotId> {
    [("-im-bot", "@im.bot"), ("-im-wechat", "@im.wechat")].into_iter().find_map(|(dashed, raw)| {
        let name = account.as_str().strip_suffix(dashed)?;
        Some(BotId::new(format!("{name}{raw}")))
    })
}
