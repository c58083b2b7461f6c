//! What the channel itself says to people in a chat.

use std::fmt::Display;

use super::{Language, explain};

/// A notice to somebody in a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The rest of an answer waits for a message of the peer.
    RestWaits {
        /// How many messages wait.
        n: u32,
    },
    /// Few sends are left until the peer writes.
    FewLeft {
        /// How many.
        left: u32,
    },
    /// The answer is in a file.
    AsFile,
    /// A text of an answer was not sent.
    NotSent,
    /// A file of an answer was not sent.
    FileNotSent {
        /// Its name.
        name: String,
    },
    /// A file of an answer is too large.
    FileTooLarge {
        /// Its name.
        name: String,
        /// The limit, in bytes.
        max: u64,
    },
    /// Media of the peer did not come through.
    MediaLost,
    /// Media of the peer are too large.
    MediaTooLarge {
        /// The limit, in bytes.
        max: u64,
    },
    /// A voice message of the peer can be neither read nor played.
    VoiceUnread,
    /// What follows was kept until now.
    Late {
        /// When it was said.
        since: String,
    },
    /// A message of the peer failed too often and was set aside.
    SetAside,
    /// A message of the peer holds nothing that is supported here.
    Unsupported,
}

impl Notice {
    /// Returns the code to look it up by.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::RestWaits { .. } => "W501",
            Self::FewLeft { .. } => "W502",
            Self::AsFile => "W503",
            Self::FileNotSent { .. } => "W504",
            Self::NotSent => "W218",
            Self::FileTooLarge { .. } => "W505",
            Self::MediaLost => "W506",
            Self::MediaTooLarge { .. } => "W507",
            Self::VoiceUnread => "W508",
            Self::Late { .. } => "W509",
            // W510 said that a message waits for others; the host says that.
            Self::SetAside => "W511",
            Self::Unsupported => "W512",
        }
    }

    /// Says it. Trouble comes with its code, for whoever runs the program.
    #[must_use]
    pub fn say(&self, language: Language) -> String {
        let code = self.code();
        let fill = |values: &[(&str, &dyn Display)]| {
            explain(code).map_or_else(|| code.to_owned(), |it| it.chat.fill(language, values))
        };
        let trouble = |sentence: String| match language {
            Language::Zh => format!("{sentence}（{code}）"),
            Language::En => format!("{sentence} ({code})"),
        };
        match self {
            Self::RestWaits { n } => fill(&[("n", n)]),
            Self::FewLeft { left } => fill(&[("left", left)]),
            Self::AsFile => fill(&[]),
            Self::Late { since } => fill(&[("since", since)]),
            Self::MediaLost
            | Self::VoiceUnread
            | Self::SetAside
            | Self::Unsupported
            | Self::NotSent => trouble(fill(&[])),
            Self::MediaTooLarge { max } => trouble(fill(&[("max", &megabytes(*max))])),
            // The name comes last: it may contain anything.
            Self::FileTooLarge { name, max } => {
                trouble(fill(&[("max", &megabytes(*max)), ("name", name)]))
            }
            Self::FileNotSent { name } => trouble(fill(&[("name", name)])),
        }
    }
}

fn megabytes(bytes: u64) -> String {
    if bytes >> 20 == 0 { format!("{} KB", bytes >> 10) } else { format!("{} MB", bytes >> 20) }
}
