//! Any bytes as the body of any request or answer: no panic, and what was read
//! and written unchanged is read again as the same.

#![no_main]

use ilink::wire::{
    Ack, BaseInfo, Config, GetConfig, GetUpdates, GetUploadUrl, Item, Message, Notify, QrCode,
    QrCodeRequest, QrStatus, SendMessage, SendTyping, Sent, Updates, UploadUrl,
};
use libfuzzer_sys::fuzz_target;

macro_rules! survives {
    ($bytes:expr, $($ty:ty),* $(,)?) => {$(
        if let Ok(read) = <$ty>::from_slice($bytes) {
            let written = read.to_json();
            let again = <$ty>::from_slice(written.as_bytes()).expect("what we write is JSON");
            assert!(again == read, "{written}");
            assert_eq!(again.to_json(), written, "writing is stable");
        }
    )*};
}

fuzz_target!(|bytes: &[u8]| {
    survives!(
        bytes,
        Ack,
        BaseInfo,
        Config,
        GetConfig,
        GetUpdates,
        GetUploadUrl,
        Item,
        Message,
        Notify,
        QrCode,
        QrCodeRequest,
        QrStatus,
        SendMessage,
        SendTyping,
        Sent,
        Updates,
        UploadUrl,
    );
});
