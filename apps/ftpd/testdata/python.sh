# needs: python3
cd "$WORK"
cat >client.py <<'PY'
import ftplib, io, os
host, port = os.environ["ADDR"].rsplit(":", 1)
f = ftplib.FTP(timeout=20)
f.connect(host, int(port))
f.login(os.environ["USER_NAME"], os.environ["PASSWORD"])
f.mkd("d"); f.cwd("d")
assert f.pwd() == "/d", f.pwd()
f.storbinary("STOR bin", io.BytesIO(bytes(range(256))))
f.storlines("STOR txt", io.BytesIO(b"one\r\ntwo\r\n"))
got = io.BytesIO(); f.retrbinary("RETR bin", got.write)
assert got.getvalue() == bytes(range(256))
f.voidcmd("TYPE I"); assert f.size("bin") == 256
lines = []; f.retrlines("RETR txt", lines.append)
assert lines == ["one", "two"], lines
assert sorted(f.nlst()) == ["bin", "txt"], f.nlst()
facts = dict(f.mlsd(facts=["type", "size"]))
assert facts["bin"]["type"] == "file" and facts["bin"]["size"] == "256", facts
f.set_pasv(False)
lines = []; f.retrlines("LIST", lines.append); assert len(lines) == 2, lines
f.set_pasv(True)
f.storbinary("STOR long", io.BytesIO(bytes(30_000_000)))
f.voidcmd("TYPE I")
data = f.transfercmd("RETR long"); data.recv(1000)
print(f.abort())
data.close()
# RFC 959: 426 for the transfer, then 226 for ABOR. ftplib reads one of them.
assert f.getresp().startswith("226")
f.rename("txt", "new"); f.delete("new"); f.delete("bin"); f.delete("long")
f.cwd(".."); f.rmd("d")
f.quit()
PY
python3 client.py
