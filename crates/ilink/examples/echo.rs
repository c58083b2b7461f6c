//! Logs in by QR code and says back what it hears.
//!
//! `cargo run -p ilink --example echo [-- <base url> <bot token>]`

#![expect(clippy::print_stdout, reason = "talks to a terminal")]

use std::{env::args, error::Error, io::stdin};

use ilink::client::{DEFAULT_API, DEFAULT_HOLD};
use ilink::login::{LoginEvent, LoginOptions, QrLogin};
use ilink::wire::{Item, Message, MessageType};
use ilink::{BotToken, Client, ClientId, Cursor, Endpoints, Http, HttpOptions, Identity};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let base = args().nth(1).unwrap_or(DEFAULT_API.to_owned());
    let http = Http::new(&HttpOptions::default())?;
    let client = Client::new(http, Endpoints::at(base.parse()?), Identity::new("2.4.9"));
    let bot = match args().nth(2) {
        Some(token) => client.with_token(BotToken::new(token)),
        None => log_in(&client).await?,
    };
    let mut cursor = Cursor::default();
    loop {
        let batch = bot.get_updates(&cursor, DEFAULT_HOLD).await?;
        for echo in batch.msgs.iter().flatten().filter_map(echo) {
            bot.send_message(echo).await?;
        }
        cursor = batch.get_updates_buf.unwrap_or(cursor);
    }
}

fn echo(message: &Message) -> Option<Message> {
    if message.message_type != Some(MessageType::User) {
        return None;
    }
    let text = message.texts().next()?;
    Some(message.reply(Item::text(text), ClientId::now("echo")))
}

async fn log_in(client: &Client) -> Result<Client, Box<dyn Error>> {
    let mut login = QrLogin::new(client, Vec::new(), LoginOptions::default());
    while let Some(event) = login.next().await {
        if let LoginEvent::QrShown { link, .. } = &event {
            println!("open in WeChat: {link}");
        }
        if let LoginEvent::VerifyCodeNeeded { .. } = &event {
            println!("type the digits that the phone shows:");
            login.enter(stdin().lines().next().ok_or("no digits")??);
        }
    }
    let credentials = login.into_outcome().into_credentials().ok_or("not logged in")?;
    Ok(client.with_account(credentials.base_url, credentials.token))
}
