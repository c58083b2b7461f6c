"""A channel in a folder: `in/<peer>-<n>.txt` is a message (move it there when it
is whole), `out/<peer>-<n>.<k>.txt` is reply k to it, and `done/` is what is over.
The files are the memory: whatever lies in `in/` at a start is handed over again,
and a reply whose file exists is not written again. See docs/contract.md."""
import json, os, pathlib, select, sys

box = pathlib.Path(os.environ.get("HONGYAN_STATE_DIR", "letterbox"))
running, stopping = False, False
handed, waiting, n_asked = set(), {}, 0


class Refused(Exception):
    """What is answered as an error: its kind and fields."""


def say(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def ask(method, params, then):
    global n_asked
    n_asked += 1
    waiting[n_asked] = then
    say(id=n_asked, method=method, params=params)


def keep(path, text):
    """Returns when the text is on disk, whole."""
    part = path.with_suffix(".part")
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    move(part, path)


def move(path, to):
    os.replace(path, to)
    folder = os.open(to.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def letter(turn):
    path = box / "in" / (turn + ".txt")
    if os.sep in turn or not path.exists():
        raise Refused({"kind": "no_such_turn", "turn": turn})
    return path


def close(turn):
    move(letter(turn), box / "done" / (turn + ".txt"))


def hello(_):
    return {"contract": [1], "program": "letterbox", "version": "0.1.0", "channel": "letterbox"}


def configure(params):
    global box
    box = pathlib.Path(params["section"].get("dir", box))


def start(_):
    global running
    for name in ("in", "out", "done", "offers"):
        (box / name).mkdir(parents=True, exist_ok=True)
    running = True


def reply(params):
    letter(params["turn"])
    number, content = params["reply"]["number"], params["reply"]["content"]
    path = box / "out" / f"{params['turn']}.{number}.txt"
    if not path.exists():
        keep(path, content["text"] if "text" in content else json.dumps(content["media"]))


def finish(params):
    close(params["turn"])


def status(_):
    letters = list((box / "in").glob("*.txt"))
    return [{"account": "box", "state": "polling" if running else "stopped", "inbox": len(letters)}]


def stop(_):
    global stopping
    stopping = True


METHODS = {f.__name__: f for f in (hello, configure, start, reply, finish, status, stop)}


def look():
    """Hands over what is new, in order, and not too much at once."""
    letters = (path.stem for path in (box / "in").glob("*-*.txt"))
    for turn in sorted(letters, key=lambda turn: (len(turn), turn)):
        if turn not in handed and len(waiting) < 100:
            handed.add(turn)
            admit(turn, turn.rpartition("-")[0])


def admit(turn, peer):
    where = {"channel": "letterbox", "account": "box", "peer": peer}

    def decided(verdict, error):
        if error:
            handed.discard(turn)  # Looked at again.
        elif verdict == "admit":
            receive(turn, where)
        else:
            if verdict != "refuse":
                keep(box / "out" / (turn + ".0.txt"), verdict["challenge"]["text"])
            close(turn)

    ask("admit", {"sender": {"conversation": where, "turn": turn, "is_owner": False}}, decided)


def receive(turn, where):
    with open(box / "offers" / turn, "a+b") as offers:
        offers.write(b".")
        n_offers = offers.tell()
    path = letter(turn)
    inbound = {"turn": turn, "conversation": where, "message_id": turn, "offers": n_offers,
               "sent_at_ms": int(path.stat().st_mtime * 1000), "text": path.read_text("utf-8")}
    ask("receive", {"inbound": inbound}, lambda _, error: error and handed.discard(turn))


def take(message):
    if "method" not in message:
        then = waiting.pop(message.get("id"), None)
        if then:
            then(message.get("result"), message.get("error"))
    elif "id" in message:
        name = message["method"]
        try:
            if name not in METHODS and name != "ping":
                say(id=message["id"], error={"code": -32601, "message": "there is no " + name})
            else:
                done = METHODS[name](message.get("params", {})) if name != "ping" else None
                say(id=message["id"], result=[] if name == "configure" else done)
        except Refused as refused:
            say(id=message["id"], error={"code": -32000, "message": "no", "data": refused.args[0]})
        except Exception as error:
            say(id=message["id"], error={"code": -32603, "message": repr(error)})


rest = b""
while not stopping:
    if running:
        look()
    if select.select([0], [], [], 0.05)[0]:
        chunk = os.read(0, 65536)
        if not chunk:
            break  # The host is gone, with or without a word.
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            take(json.loads(line))
