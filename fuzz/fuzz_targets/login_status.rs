//! Any answers, one per line, drive a login: no panic, it always says what to
//! do next, and it ends by its deadline.

#![no_main]

use std::time::Duration;

use ilink::login::{Event, Login, LoginOptions, Step, Trouble};
use ilink::wire::{QrCode, QrStatus};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let options = LoginOptions::default();
    for base in ["https://qr.example", "http://127.0.0.1:9000"] {
        let mut login = Login::new(options, base.parse().expect("a valid address"));
        let mut step = login.handle(Event::Continue, Duration::ZERO);
        for line in bytes.split(|byte| *byte == b'\n') {
            // What the step asks for, made of the line.
            let event = match step {
                Step::FetchQr => Event::Qr(QrCode::from_slice(line).map_err(|_| Trouble::TimedOut)),
                Step::Poll(_) => {
                    Event::Status(QrStatus::from_slice(line).map_err(|_| Trouble::TimedOut))
                }
                Step::AwaitVerifyCode => {
                    Event::VerifyCode(String::from_utf8_lossy(line).into_owned())
                }
                Step::Tell(_) | Step::Wait(_) | Step::Done(_) => Event::Continue,
            };
            let over = matches!(step, Step::Done(_));
            step = login.handle(event, Duration::ZERO);
            assert!(!over || matches!(step, Step::Done(_)), "what is over stays over");
        }
        let last = login.handle(Event::Continue, options.deadline);
        assert!(matches!(last, Step::Done(_)), "the deadline ends it: {last:?}");
    }
});
