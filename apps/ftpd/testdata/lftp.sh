# needs: lftp
cd "$WORK"
mkdir -p tree/sub/deeper
for i in 1 2 3 4 5 6 7 8 9 10; do
	head -c 100000 /dev/urandom >"tree/sub/file $i"
done
echo x >tree/sub/deeper/x
lftp -u "$USER_NAME,$PASSWORD" "$ADDR" -e 'set net:max-retries 3; set net:reconnect-interval-base 1; set ssl:verify-certificate no; mirror -R tree up; mirror up back; rm -r up; ls; bye'
diff -r tree back
test ! -e "$ROOT/up"
