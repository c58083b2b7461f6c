//! Turns an agent's markdown into text that WeChat shows, in parts that it accepts.
