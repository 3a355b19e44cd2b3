//! `taiinet-signaller status`: asks a signaller that runs how it is, and shows it.

mod ask;
mod table;

use std::{net::SocketAddr, path::PathBuf};

use taiinet_signaller::server::Report;
use taiinet_terminal as terminal;

use crate::{
    USAGE,
    options::{Asked, Settings},
};
use ask::Place;

/// The file of options where one is installed.
const INSTALLED: &str = "/etc/taiinet/taiinet-signaller.toml";

/// Shows it; or what to say, and the exit code.
pub(crate) fn show(asked: &Asked) -> Result<(), (String, u8)> {
    let place = place(asked).map_err(|error| (error, USAGE))?;
    let path = if asked.names { "/status?names" } else { "/status" };
    let answer = place.ask(path).map_err(|error| (error, 1))?;
    let report: Report = serde_json::from_str(&answer).map_err(|error| {
        (format!("{place} does not answer as a signaller does: {error}; is it one?"), 1)
    })?;
    let text = if asked.json {
        let text = serde_json::to_string(&report).map_err(|error| (error.to_string(), 1))?;
        format!("{}\n", terminal::json(&text))
    } else {
        table::draw(&report, &place)
    };
    terminal::print(&text).map_err(|error| (terminal::unwritten(&error), 1))
}

/// Where to ask: what was given, or what stands in the file.
fn place(asked: &Asked) -> Result<Place, String> {
    if let Some(path) = &asked.control {
        return Ok(Place::Control(path.clone()));
    }
    if let Some(address) = asked.metrics {
        return at(address, asked.names);
    }
    let installed = || Some(PathBuf::from(INSTALLED)).filter(|file| file.exists());
    let Some(file) = asked.config.clone().or_else(installed) else {
        return Err(format!(
            "where does it run? Give --control PATH or --metrics ADDR:PORT as it was started with, or --config \
             FILE in which they stand ({INSTALLED} is not there)"
        ));
    };
    let settings = Settings::of(&file)?;
    match (settings.control, settings.metrics) {
        (Some(path), _) => Ok(Place::Control(path)),
        (None, Some(address)) => at(address, asked.names),
        (None, None) => Err(format!(
            "{}: it has neither control nor metrics, so the signaller answers nowhere; add control = \
             \"/run/taiinet-signaller/control\" and start it again",
            file.display()
        )),
    }
}

fn at(address: SocketAddr, with_names: bool) -> Result<Place, String> {
    if with_names {
        return Err("names are told at the control socket only: start the signaller with --control PATH, and \
             give it here, too"
            .to_owned());
    }
    if address.port() == 0 {
        return Err("metrics: port 0 took any free one; give the one that it said at its start: \
             --metrics ADDR:PORT"
            .to_owned());
    }
    Ok(Place::Metrics(address))
}
