//! What a stranger is told. Nothing is known of the language they write, so it
//! is both.

use contract::Conversation;

/// What somebody is told who has been approved.
pub const APPROVED: &str = "✅ Hongyan access approved. Send a message to start chatting.\n\
                            ✅ 已获准使用，直接发消息即可开始对话。";

/// Says which code a stranger has, and what to do with it.
pub(crate) fn challenge(conversation: &Conversation, code: &str) -> String {
    let Conversation { channel, account: _, peer } = conversation;
    format!(
        "Hongyan: access not configured.\n\
         鸿雁：尚未获准使用。\n\
         \n\
         Your id / 你的 ID: {peer}\n\
         Pairing code / 配对码:\n\
         ```\n\
         {code}\n\
         ```\n\
         \n\
         Ask the bot owner to approve with:\n\
         请机器人的主人运行：\n\
         ```\n\
         hongyan pairing approve {channel} {code}\n\
         ```"
    )
}
