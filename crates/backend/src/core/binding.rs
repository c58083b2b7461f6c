//! Binding bots to users: the QR login from both ends, and directly.

use ilink::wire::LoginStatus;
use ilink::{BotId, BotToken, QrCodeId, UserId};

use super::Core;
use crate::clock::millis;
use crate::ident;
use crate::login::{Confirmation, Login, LoginProblem};
use crate::phones::News;
use crate::policy::Policy;
use crate::problem::Problem;
use crate::store::{Binding, Bot, LoginRow, Stepped};

/// How long an ended login is still told about.
const MEMORY_MS: u64 = 3_600_000;

/// What an asking machine is told about a login.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum StatusAnswer {
    /// The state, without more.
    Status(LoginStatus),
    /// Ask this host from now on.
    Redirect(String),
    /// The bot is bound.
    Confirmed { bot: BotId, token: BotToken, base: String, user: UserId },
}

impl Core {
    /// Makes a QR code for a machine that has these tokens.
    pub(crate) async fn new_login(
        &self,
        local_tokens: &[BotToken],
        base: String,
    ) -> Result<QrCodeId, Problem> {
        const MOST_TOKENS: usize = 10;
        let now = self.now();
        if !self.new_logins.admit(now) {
            return Err(Problem::Full("there are too many logins"));
        }
        let local = local_tokens.iter().take(MOST_TOKENS);
        let login = LoginRow {
            qrcode: ident::qr_code_id(),
            created_at: now,
            expires_at: now.saturating_add(millis(self.policy().qr_life)),
            state: Login::Waiting,
            local_bots: local.filter_map(|token| self.secret.bot_of(token)).collect(),
            base,
        };
        if !self.store.add_login(&login, self.limits.open_logins).await? {
            return Err(Problem::Full("there are too many logins"));
        }
        Ok(login.qrcode)
    }

    pub(crate) async fn login(&self, qrcode: &QrCodeId) -> Result<LoginRow, Problem> {
        self.store.login(qrcode).await?.ok_or(Problem::NotFound("QR code"))
    }

    /// A user's phone has read a link, or the code in it.
    pub(crate) async fn scan(&self, user: &UserId, link: &str) -> Result<LoginRow, Problem> {
        let (scanner, now) = (user.clone(), self.now());
        let step = move |row: &mut LoginRow| {
            let expired = now >= row.expires_at;
            (row.state.scan(&scanner, expired), None)
        };
        self.step(&qrcode_in(link), step).await
    }

    /// The user wants the bot.
    pub(crate) async fn confirm(
        &self,
        user: &UserId,
        qrcode: &QrCodeId,
    ) -> Result<LoginRow, Problem> {
        self.room_for_a_bot()?;
        let now = self.now();
        let policy = self.policy();
        let present = self.registry.bot_of(user, now).map(|bot| bot.id.clone());
        let user = user.clone();
        let step = move |row: &mut LoginRow| {
            let with = Confirmation {
                known: present.filter(|bot| row.local_bots.contains(bot)),
                verify: policy.verify_tries.map(|tries| (ident::verify_code(), tries)),
                fresh: ident::bot_id(),
            };
            match row.state.confirm(&user, now >= row.expires_at, with) {
                Ok(fresh) => (Ok(()), fresh.map(|bot| binding(&policy, bot, user, now))),
                Err(problem) => (Err(problem), None),
            }
        };
        self.step(qrcode, step).await
    }

    /// The user does not want the bot.
    pub(crate) async fn cancel(
        &self,
        user: &UserId,
        qrcode: &QrCodeId,
    ) -> Result<LoginRow, Problem> {
        let user = user.clone();
        self.step(qrcode, move |row| (row.state.cancel(&user), None)).await
    }

    /// Digits were typed where the login began.
    async fn verify(&self, qrcode: &QrCodeId, digits: String) -> Result<LoginRow, Problem> {
        let (policy, now) = (self.policy(), self.now());
        let step = move |row: &mut LoginRow| {
            let expired = now >= row.expires_at;
            let user = row.state.user().cloned();
            let fresh = row.state.verify(&digits, expired, ident::bot_id());
            let bound = fresh.zip(user);
            (Ok(()), bound.map(|(bot, user)| binding(&policy, bot, user, now)))
        };
        self.step(qrcode, step).await
    }

    /// Binds a bot to a user without a QR code.
    pub(crate) async fn bind(&self, user: &UserId) -> Result<BotId, Problem> {
        self.person(user).await?;
        self.room_for_a_bot()?;
        let new = binding(&self.policy(), ident::bot_id(), user.clone(), self.now());
        let older = self.store.bind(new.clone()).await?;
        let bot = new.bot.id.clone();
        self.bound(new, &older);
        Ok(bot)
    }

    /// Makes a bot's token refused from now on.
    pub(crate) async fn make_stale(&self, bot: &BotId) -> Result<(), Problem> {
        let live = self.registry.get(bot).ok_or(Problem::NotFound("bot"))?;
        let now = self.now();
        self.store.make_stale(bot, now).await?;
        live.make_stale(now);
        self.tell_contact(&live.user, bot);
        Ok(())
    }

    /// Answers what became of a QR code. Held open until the state is another
    /// than the one told last; what has ended is told at once. Cancel safe.
    pub(crate) async fn login_status(
        &self,
        qrcode: &QrCodeId,
        digits: Option<String>,
        host: Option<&str>,
    ) -> Result<StatusAnswer, Problem> {
        let mut changes = self.logins.subscribe();
        let deadline = tokio::time::Instant::now() + self.hold;
        if let Some(digits) = digits.filter(|digits| !digits.is_empty()) {
            let login = self.verify(qrcode, digits).await?;
            return Ok(self.tell_status(&login, host));
        }
        loop {
            changes.mark_unchanged();
            let login = self.login(qrcode).await?;
            let status = login.state.status(self.now() >= login.expires_at);
            let is_told =
                self.told.lock().get(qrcode) == Some(&status) || status == LoginStatus::Wait;
            if !is_told || !is_open(&status) {
                return Ok(self.tell_status(&login, host));
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = self.clock.sleep_until(login.expires_at) => {}
                () = tokio::time::sleep_until(deadline) => return Ok(self.tell_status(&login, host)),
                () = self.stopping.cancelled() => return Ok(self.tell_status(&login, host)),
            }
        }
    }

    fn tell_status(&self, login: &LoginRow, host: Option<&str>) -> StatusAnswer {
        let status = login.state.status(self.now() >= login.expires_at);
        self.told.lock().insert(login.qrcode.clone(), status.clone());
        if let Some(elsewhere) = self.policy().redirect_host.as_deref()
            && host != Some(elsewhere)
            && status != LoginStatus::Wait
            && status != LoginStatus::Expired
        {
            return StatusAnswer::Redirect(elsewhere.to_owned());
        }
        match &login.state {
            Login::Confirmed { user, bot } => StatusAnswer::Confirmed {
                bot: bot.clone(),
                token: self.secret.bot_token(bot),
                base: login.base.clone(),
                user: user.clone(),
            },
            Login::Waiting
            | Login::Scanned { .. }
            | Login::Verifying { .. }
            | Login::Blocked { .. }
            | Login::Cancelled { .. }
            | Login::AlreadyBound { .. } => StatusAnswer::Status(status),
        }
    }

    /// Makes one step of a login and tells everyone.
    async fn step<S>(&self, qrcode: &QrCodeId, step: S) -> Result<LoginRow, Problem>
    where
        S: FnOnce(&mut LoginRow) -> (Result<(), LoginProblem>, Option<Binding>) + Send + 'static,
    {
        let stepped = self.store.step_login(qrcode, step).await?;
        let Stepped { login, told, binding, older } =
            stepped.ok_or(Problem::NotFound("QR code"))?;
        if let Some(new) = binding {
            self.bound(new, &older);
        }
        self.logins.send_modify(|n| *n += 1);
        if let Some(user) = login.state.user() {
            self.phones.tell(user, News::Login { qrcode: qrcode.clone() });
        }
        match told {
            // The login says so itself.
            Ok(()) | Err(LoginProblem::Expired) => Ok(login),
            Err(problem) => Err(problem.into()),
        }
    }

    /// Brings memory in step with a binding that is stored.
    fn bound(&self, new: Binding, older: &[BotId]) {
        for bot in older {
            if let Some(live) = self.registry.get(bot) {
                live.make_stale(new.older_stale_at);
            }
            self.tell_contact(&new.bot.user, bot);
        }
        let live = self.registry.add(new.bot);
        self.tell_contact(&live.user, &live.id);
    }

    fn room_for_a_bot(&self) -> Result<(), Problem> {
        if self.registry.len() >= self.limits.bots {
            return Err(Problem::Full("there are too many bots"));
        }
        Ok(())
    }

    /// Forgets logins that ended long ago.
    pub(super) async fn forget_logins(&self) -> Result<(), Problem> {
        let before = self.now().saturating_sub(MEMORY_MS);
        self.store.forget_logins(before).await?;
        let mut told = self.told.lock();
        // Only what was told last is lost: then it is told once more.
        if told.len() > 2 * usize::try_from(self.limits.open_logins).unwrap_or(usize::MAX) {
            told.clear();
        }
        Ok(())
    }
}

fn is_open(status: &LoginStatus) -> bool {
    matches!(status, LoginStatus::Wait | LoginStatus::Scanned | LoginStatus::NeedVerifyCode)
}

fn binding(policy: &Policy, bot: BotId, user: UserId, now: u64) -> Binding {
    let name = format!("Bot {}", bot.as_str().chars().take(4).collect::<String>());
    Binding {
        bot: Bot { id: bot, user, name, created_at: now, stale_at: None },
        older_stale_at: now.saturating_add(millis(policy.rebind_grace)),
    }
}

/// Finds the code in a QR link `…/q/{qrcode}`, or takes the text as the code.
fn qrcode_in(link: &str) -> QrCodeId {
    let path = link.trim().split(['?', '#']).next().unwrap_or_default();
    let code = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    QrCodeId::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_in_its_link() {
        for link in ["abc", " http://x/q/abc ", "https://x/q/abc/?from=cli#top"] {
            assert_eq!(qrcode_in(link), QrCodeId::from("abc"), "{link}");
        }
    }
}
