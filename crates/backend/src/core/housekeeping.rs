//! What happens by itself: expiry, and bots that fell silent.

use std::sync::Arc;
use std::time::Duration;

use super::Core;
use crate::clock::millis;
use crate::problem::Problem;

/// How often the rounds are made.
const ROUND: Duration = Duration::from_secs(5);
/// How many rounds pass between looks at the store.
const STORE_ROUNDS: u32 = 12;

impl Core {
    /// Starts the background tasks.
    pub(crate) fn start_tasks(self: &Arc<Self>) {
        self.tasks.spawn("typing", Arc::clone(self).watch_typing());
        self.tasks.spawn("rounds", Arc::clone(self).make_rounds());
    }

    async fn make_rounds(self: Arc<Self>) {
        let mut rounds = tokio::time::interval(ROUND);
        for n in 0_u32.. {
            tokio::select! {
                _ = rounds.tick() => {}
                () = self.stopping.cancelled() => return,
            }
            self.fade_silent_bots();
            if n % STORE_ROUNDS == 0
                && let Err(err) = self.forget_expired().await
            {
                tracing::warn!(error = %err, "expired things could not be removed");
            }
        }
    }

    fn fade_silent_bots(&self) {
        for bot in self.registry.all() {
            if bot.fade(self.presence_life()) {
                self.tell_contact(&bot.user, &bot.id);
            }
        }
    }

    /// Removes what has expired: logins, tickets, media.
    pub(crate) async fn forget_expired(&self) -> Result<(), Problem> {
        self.forget_logins().await?;
        let now = self.now();
        let life = self.policy().media_life.map(millis);
        let before = life.map(|life| now.saturating_sub(life));
        for hash in self.store.forget_media(now, before).await? {
            let path = self.store.media_path(&hash);
            if let Err(err) = tokio::fs::remove_file(&path).await {
                tracing::warn!(error = %err, "an expired media file could not be removed");
            }
        }
        Ok(())
    }
}
