# needs: curl
# The printed lines work as they are.
cd "$WORK"
echo 'some text' >FILE
eval "$UPLOAD"
cmp FILE "$ROOT/FILE"
eval "$LIST" | grep ' FILE'
curl -sS --user "$LOGIN" -o back "ftp://$ADDR/FILE"
cmp FILE back
# Resuming, ranges, active mode, a name that needs quoting, removal.
printf 'some' >part
curl -sS --user "$LOGIN" -C - -o part "ftp://$ADDR/FILE"
cmp FILE part
curl -sS --user "$LOGIN" -P - -o active "ftp://$ADDR/FILE"
cmp FILE active
curl -sS --user "$LOGIN" --disable-epsv -o pasv "ftp://$ADDR/FILE"
cmp FILE pasv
head -c 3000000 /dev/urandom >big
curl -sS --user "$LOGIN" --ftp-create-dirs -T big "ftp://$ADDR/a%20b/c/d.bin"
cmp big "$ROOT/a b/c/d.bin"
curl -sS --user "$LOGIN" -Q '-DELE a b/c/d.bin' "ftp://$ADDR/" >/dev/null
test ! -e "$ROOT/a b/c/d.bin"
# A wrong password is exit status 67.
status=0
curl -sS --user x:y "ftp://$ADDR/" 2>/dev/null || status=$?
test "$status" = 67
