"""A session of Python's ftplib: python3 session.py host port user password [tls]."""

import ftplib
import hashlib
import io
import os
import ssl
import sys

host, port, user, password = sys.argv[1:5]
tls = len(sys.argv) > 5
data = os.urandom(2_000_003)


def begin():
    if not tls:
        return ftplib.FTP(timeout=30)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return ftplib.FTP_TLS(timeout=30, context=context)


def connect():
    ftp = begin()
    ftp.connect(host, int(port))
    ftp.login(user, password)
    if tls:
        ftp.prot_p()
    return ftp


def refused(code, call, *args):
    try:
        call(*args)
    except ftplib.error_perm as e:
        assert str(e).startswith(code), f"{args}: {e}, want {code}"
    else:
        raise AssertionError(f"{args} was not refused")


def fetch(ftp, name, rest=None):
    out = bytearray()
    ftp.retrbinary(f"RETR {name}", out.extend, rest=rest)
    return bytes(out)


ftp = connect()
assert ftp.pwd() == "/"
assert "MLST" in ftp.sendcmd("FEAT")
assert ftp.mkd("dir") == "/dir"
refused("550", ftp.mkd, "dir")
ftp.cwd("dir")

# Binary, whole and in parts.
assert ftp.storbinary("STOR data", io.BytesIO(data)).startswith("226")
assert ftp.size("data") == len(data)
assert hashlib.sha256(fetch(ftp, "data")).digest() == hashlib.sha256(data).digest()
assert fetch(ftp, "data", rest=1_999_990) == data[1_999_990:]
assert fetch(ftp, "data", rest=len(data)) == b""
ftp.storbinary("STOR part", io.BytesIO(data[:1000]))
ftp.storbinary("STOR part", io.BytesIO(data[1000:5000]), rest=1000)
assert fetch(ftp, "part") == data[:5000]
ftp.storbinary("APPE part", io.BytesIO(data[5000:6000]))
assert fetch(ftp, "part") == data[:6000]

# Text.
ftp.storlines("STOR text", io.BytesIO(b"one\ntwo\nthree\n"))
lines = []
ftp.retrlines("RETR text", lines.append)
assert lines == ["one", "two", "three"], lines
assert fetch(ftp, "text") == b"one\ntwo\nthree\n"

# Listings.
facts = dict(ftp.mlsd("/dir"))
assert facts["data"]["type"] == "file" and int(facts["data"]["size"]) == len(data), facts
assert sorted(n for n in ftp.nlst() if n not in (".", "..")) == ["data", "part", "text"]
listing = []
ftp.dir(listing.append)
assert any(line.endswith(" data") and f" {len(data)} " in line for line in listing), listing
assert ftp.sendcmd("MDTM data").startswith("213 20")

# A transfer given up in the middle: ABOR is answered, and the session goes on.
ftp.voidcmd("TYPE I")
conn = ftp.transfercmd("RETR data")
conn.recv(1000)
ftp.putline("ABOR")
conn.close()
replies = []
while not replies or not replies[-1].startswith("226"):
    replies.append(ftp.getmultiline())
    assert replies[-1][:3] in ("226", "426"), replies
if replies[0].startswith("226"):  # all had been sent: this was the transfer's, ABOR's follows
    replies.append(ftp.getmultiline())
    assert replies[-1].startswith(("225", "226")), replies
assert ftp.sendcmd("NOOP").startswith("200")
assert ftp.pwd() == "/dir"

# Rename, delete, refusals.
ftp.rename("text", "../renamed")
refused("550", ftp.size, "text")
assert ftp.delete("/renamed").startswith("250")
refused("550", ftp.cwd, "/../nowhere")
refused("550", ftp.rmd, "/dir")
refused("500", ftp.sendcmd, "BOGUS")
refused("501", ftp.sendcmd, "PORT 1,2,3")
for name in ("data", "part"):
    ftp.delete(name)
ftp.cwd("..")
ftp.rmd("dir")
assert ftp.quit().startswith("221")

bad = begin()
bad.connect(host, int(port))
refused("530", bad.login, user, "wrong")
bad.close()
