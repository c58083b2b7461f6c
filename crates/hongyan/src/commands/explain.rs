//! `hongyan explain`

use weixin::codes::{self, Explanation};

use crate::cli::ExplainArgs;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::{spoken, t};

pub(crate) fn run(args: &ExplainArgs) -> Result<(), CliError> {
    let Some(code) = &args.code else {
        all(args.json);
        return Ok(());
    };
    let found = codes::explain(code).ok_or_else(|| {
        CliError::new(Kind::Usage, t!("explain.unknown", code = code)).hinted(t!("hint.codes"))
    })?;
    if args.json {
        output::json(found);
    } else {
        in_full(found);
    }
    Ok(())
}

fn in_full(entry: &Explanation) {
    let language = spoken();
    output::line(format!("{}  {}", entry.code, entry.meaning.pick(language)));
    output::line(t!("explain.cause", text = entry.cause.pick(language)));
    output::line(t!("explain.action", text = entry.action.pick(language)));
    if let Some(confidence) = entry.confidence {
        output::aside(t!("explain.source", who = confidence.words(language)));
    }
}

fn all(json: bool) {
    if json {
        output::json(&codes::all());
        return;
    }
    let language = spoken();
    let row = |entry: &Explanation| [entry.code.clone(), entry.meaning.pick(language).to_owned()];
    output::table([t!("explain.code"), t!("explain.meaning")], codes::all().iter().map(row));
}
