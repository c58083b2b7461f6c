//! `getuploadurl`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use ilink::wire::{GetUploadUrl, MediaType, UploadUrl};
use ilink::{Code, UploadTicket};

use super::{Answer, Failure, bot_of, json, read};
use crate::clock::millis;
use crate::core::Core;
use crate::links;
use crate::problem::Problem;
use crate::registry::LiveBot;
use crate::secret::{draw, fingerprint};
use crate::store::Ticket;

pub(super) async fn get_upload_url(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let bot = bot_of(&core, &headers)?;
    let request = read(&body, GetUploadUrl::from_slice)?;
    let policy = core.policy();
    let user = request.to_user_id.clone().unwrap_or_default();
    if !core.store.has_met(&user, &bot.id).await.map_err(Problem::from)? {
        return Err(Answer { code: Code::BAD_UPLOAD_TARGET, errmsg: "bad target" }.into());
    }
    if request.media_type == Some(MediaType::Voice) && policy.voice_upload_refused {
        return Err(Answer { code: Code::BAD_ARGUMENT, errmsg: "voice is not supported" }.into());
    }
    if let Some(errmsg) = wrong_size(&request, core.limits.media_size) {
        return Err(Answer { code: Code::REFUSED, errmsg }.into());
    }
    let until = core.now().saturating_add(millis(policy.upload_ticket_life));
    let (main, thumb) = (draw(), needs_thumb(&request).then(draw));
    let mut tickets = vec![ticket(&bot, &request, &main, false, until)];
    tickets.extend(thumb.iter().map(|thumb| ticket(&bot, &request, thumb, true, until)));
    core.store.add_tickets(tickets).await.map_err(Problem::from)?;
    let base = core.place.base(&headers);
    let full_url = policy.upload_full_url.then(|| UploadTicket::new(links::upload(&base, &main)));
    let answer = UploadUrl {
        ret: Some(Code::OK),
        upload_param: Some(UploadTicket::new(main)),
        thumb_upload_param: thumb.map(UploadTicket::new),
        upload_full_url: full_url,
        ..UploadUrl::default()
    };
    Ok(json(answer.to_json()))
}

/// Checks the sizes that a ticket will be for.
fn wrong_size(request: &GetUploadUrl, most: u64) -> Option<&'static str> {
    let (Some(raw), Some(size)) = (request.rawsize, request.filesize) else {
        return Some("sizes are missing");
    };
    if size > most || request.thumb_filesize.is_some_and(|size| size > most) {
        return Some("the media is too large");
    }
    (size != ilink::cipher::cipher_size(raw)).then_some("filesize does not fit rawsize")
}

fn needs_thumb(request: &GetUploadUrl) -> bool {
    request.no_need_thumb != Some(true) && request.thumb_filesize.is_some()
}

fn ticket(bot: &LiveBot, request: &GetUploadUrl, text: &str, thumb: bool, until: u64) -> Ticket {
    let (raw_size, size) = if thumb {
        (request.thumb_rawsize, request.thumb_filesize)
    } else {
        (request.rawsize, request.filesize)
    };
    Ticket {
        hash: fingerprint(text),
        bot: bot.id.clone(),
        user: request.to_user_id.clone().unwrap_or_default(),
        filekey: request.filekey.as_ref().map_or("", |key| key.as_str()).to_owned(),
        raw_size: raw_size.unwrap_or(0),
        size: size.unwrap_or(0),
        expires_at: until,
    }
}
