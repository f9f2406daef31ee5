# needs: wget
cd "$WORK"
mkdir "$ROOT/dir"
echo one >"$ROOT/dir/one"
echo two >"$ROOT/dir/two"
wget -q -r -nH --user="$USER_NAME" --password="$PASSWORD" "ftp://$ADDR/dir"
diff -r dir "$ROOT/dir"
