//! What a person is told of a login, in two languages and without the flags of
//! any one program.

pub(super) use prose::Language;

use crate::login::Reason;

/// Returns the language that a tag such as `zh-CN` means.
pub(super) fn language(tag: Option<&str>) -> Language {
    let is_chinese = tag.is_some_and(|tag| tag.to_ascii_lowercase().starts_with("zh"));
    if is_chinese { Language::Zh } else { Language::En }
}

/// Says what may help when nobody scans.
pub(super) fn advice(language: Language) -> &'static str {
    let chinese = "还没有人扫码。如果手机跳到与机器人的旧聊天，说明微信认为它仍然连着：请选择“换发新令牌”\
                   重新开始。如果提示“网络错误”或要求升级：请把微信更新到 8.0.70 以上并重启微信。\
                   如果扫不出来，请在手机上打开链接。";
    let english = "Nobody has scanned yet. If the phone jumps to an old chat with the bot, WeChat \
                   takes it for connected still: start again and ask for a fresh token. If it \
                   says \"network error\" or asks for an upgrade: update WeChat to 8.0.70 or later \
                   and restart it. If the code cannot be read, open the link on the phone.";
    pick(language, (chinese, english))
}

/// Says what happened.
pub(super) fn sentence(reason: Reason, language: Language) -> &'static str {
    let words = match reason {
        Reason::Expired => (
            "二维码多次过期无人扫描，或手机上点了取消",
            "nobody scanned the code in time, or the phone declined",
        ),
        Reason::Blocked => ("验证码错误次数过多", "too many wrong digits"),
        Reason::TimedOut => ("登录超时", "the login took too long"),
        Reason::Cancelled => ("登录已取消", "the login was cancelled"),
        Reason::NoQr => ("后端没有给出二维码", "the backend gave no QR code"),
        Reason::NoStatus => {
            ("后端没有回答二维码的状态", "the backend does not tell what became of the QR code")
        }
        Reason::Incomplete => (
            "后端确认了登录，却没有给出令牌或机器人",
            "the backend confirmed the login without a token or a bot",
        ),
        Reason::BadAddress => {
            ("后端给出的地址不可用", "the backend sent the login to an address that cannot be used")
        }
        Reason::VerifyCodeUnavailable => (
            "手机上显示了需要输入的数字，但没有人可以输入",
            "the phone shows digits that must be typed, and there is nobody to type them",
        ),
        Reason::NotSaved => {
            ("登录成功，但凭据无法保存", "the login worked, but its credentials could not be saved")
        }
        Reason::Refused => (
            "登录已保存，但后端拒绝其令牌",
            "the login was saved, but the backend refuses its token",
        ),
        Reason::NotPolling => (
            "登录已保存，但账号没有按时开始轮询",
            "the login was saved, but no poll of the account was answered in time",
        ),
        Reason::BoundButDead => (
            "后端表示本机已有该机器人，但本机没有一个账号可用",
            "the backend says that this machine has that bot already, but no account here works",
        ),
    };
    pick(language, words)
}

/// Says what to do about it.
pub(super) fn hint(reason: Reason, language: Language) -> &'static str {
    let words = match reason {
        Reason::Expired => {
            ("请重新开始并在两分钟内扫码", "start again and scan within two minutes")
        }
        Reason::Blocked => (
            "请重新开始，并准确输入手机上显示的数字",
            "start again and type exactly the digits that the phone shows",
        ),
        Reason::TimedOut | Reason::Cancelled => ("请重新登录", "start the login again"),
        Reason::NoQr | Reason::NoStatus => (
            "请检查后端地址、网络与代理，然后重新登录",
            "check the backend's address, the network and the proxy, then log in again",
        ),
        Reason::Incomplete | Reason::BadAddress => (
            "后端的回答不正常；请检查后端地址，或稍后再试",
            "the backend is not what it should be; check its address, or try later",
        ),
        Reason::VerifyCodeUnavailable => {
            ("请在可以输入数字的地方重新登录", "log in where the digits can be typed")
        }
        Reason::NotSaved => (
            "请腾出空间或修正数据目录的权限，然后重新登录",
            "make room or fix the permissions of the state folder, then log in again",
        ),
        Reason::Refused => (
            "请重新登录；如果别的程序也在用同一微信的机器人，请先停掉它",
            "log in again; if another program uses the same WeChat account's bot, stop it first",
        ),
        Reason::NotPolling => (
            "账号已保存：请查看账号状态与日志",
            "the account stays saved: look at its status and at the log",
        ),
        Reason::BoundButDead => {
            ("请重新登录并要求换发新令牌", "log in again and ask for a fresh token")
        }
    };
    pick(language, words)
}

fn pick(language: Language, (chinese, english): (&'static str, &'static str)) -> &'static str {
    match language {
        Language::Zh => chinese,
        Language::En => english,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_reason_has_a_sentence_of_its_own_in_both_languages() {
        for language in [Language::Zh, Language::En] {
            let all: HashSet<_> = Reason::ALL.map(|it| sentence(it, language)).into();
            assert_eq!(all.len(), Reason::ALL.len());
            let is_right = |text: &&str| Language::of(text) == language;
            assert!(all.iter().all(is_right));
            assert!(Reason::ALL.map(|it| hint(it, language)).iter().all(is_right));
        }
        assert_eq!(language(Some("zh-CN")), Language::Zh);
        assert_eq!([language(None), language(Some("de"))], [Language::En; 2]);
    }
}
