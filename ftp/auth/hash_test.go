package auth

import (
	"fmt"
	"strings"
	"testing"
)

// verifyTests holds hashes made by others, so that we do not only agree with ourselves.
var verifyTests = []struct {
	from, hash, password string
}{
	{"libxcrypt 4", "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2", "correct horse"},
	{"libxcrypt 4, 72 bytes", "$2b$05$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q", strings.Repeat("x", 72)},
	{"crypt_blowfish's tests", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
	{"the same under PHP's and htpasswd's prefix", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
	{
		"phc-winner-argon2's tests", // src/test.c
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password",
	},
	{
		"phc-winner-argon2's tests, two lanes",
		"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password",
	},
}

func TestVerify(t *testing.T) {
	for _, tt := range verifyTests {
		h, err := ParseHash(tt.hash)
		if err != nil {
			t.Errorf("%s: %v", tt.from, err)
			continue
		}
		if !h.Verify(tt.password) {
			t.Errorf("%s: the password does not match", tt.from)
		}
		for _, wrong := range []string{"", "x", tt.password + "x", tt.password[1:], strings.ToUpper(tt.password) + "\x00"} {
			if h.Verify(wrong) {
				t.Errorf("%s: %q matches", tt.from, wrong)
			}
		}
		if h.Encoded() != tt.hash {
			t.Errorf("%s: Encoded gives %q", tt.from, h.Encoded())
		}
	}
	if (Hash{}).Verify("") {
		t.Error("the zero Hash matches")
	}
}

// TestLongPassword is FIELD B34's 72 bytes: what a hash cannot tell apart must not match.
func TestLongPassword(t *testing.T) {
	h, err := ParseHash(verifyTests[1].hash)
	if err != nil {
		t.Fatal(err)
	}
	for _, tail := range []string{"x", "y", strings.Repeat("x", 72), strings.Repeat("x", 1<<16)} {
		if h.Verify(strings.Repeat("x", 72) + tail) {
			t.Errorf("bcrypt: %d more bytes match", len(tail))
		}
	}
	long := strings.Repeat("p", maxPassword)
	text, err := HashPassword(long)
	if err != nil {
		t.Fatal(err)
	}
	if h, err = ParseHash(text); err != nil {
		t.Fatal(err)
	}
	if !h.Verify(long) || h.Verify(long+"p") || h.Verify(long[1:]) {
		t.Error("argon2id: the longest password is not the only one that matches")
	}
}

func TestHashPassword(t *testing.T) {
	a, err := HashPassword("secret")
	if err != nil {
		t.Fatal(err)
	}
	b, err := HashPassword("secret")
	if err != nil {
		t.Fatal(err)
	}
	if a == b {
		t.Error("two hashes have one salt")
	}
	if !strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.ContainsAny(a, ": \n") {
		t.Errorf("the hash is %q", a)
	}
	h, err := ParseHash(a)
	if err != nil || !h.Verify("secret") || h.Verify("Secret") {
		t.Errorf("the hash does not verify: %v", err)
	}
	for _, bad := range []string{"", strings.Repeat("x", maxPassword+1)} {
		if text, err := HashPassword(bad); err == nil || text != "" {
			t.Errorf("a password of %d bytes was hashed", len(bad))
		}
	}
}

func TestParseHashRefused(t *testing.T) {
	const (
		bc   = "HNbAKRhpaujgo33bRWs.NLUTJO3lOy2"
		salt = "c29tZXNhbHQ"
		key  = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	)
	argon := func(params string) string { return "$argon2id$v=19$" + params + "$" + salt + "$" + key }
	for name, text := range map[string]string{
		"empty":                  "",
		"plain text":             "hunter2",
		"sha512":                 "$6$salt$hash",
		"apr1":                   "$apr1$salt$hash",
		"bcrypt too short":       "$2b$05$abcdefghijklmnopqrstuu" + bc[1:],
		"bcrypt too long":        "$2b$05$abcdefghijklmnopqrstuu" + bc + "x",
		"bcrypt 2x":              "$2x$05$abcdefghijklmnopqrstuu" + bc,
		"bcrypt 2":               "$2$05$abcdefghijklmnopqrstuu." + bc,
		"bcrypt cost 3":          "$2b$03$abcdefghijklmnopqrstuu" + bc,
		"bcrypt cost 16":         "$2b$16$abcdefghijklmnopqrstuu" + bc,
		"bcrypt cost 31":         "$2b$31$abcdefghijklmnopqrstuu" + bc,
		"bcrypt cost +5":         "$2b$+5$abcdefghijklmnopqrstuu" + bc,
		"bcrypt alphabet":        "$2b$05$abcdefghijklmnopqrst=u" + bc,
		"bcrypt bytes":           "$2b$05$abcdefghijklmnopqrst\xffu" + bc,
		"argon2i":                "$argon2i$v=19$m=256,t=2,p=1$" + salt + "$" + key,
		"argon2id version 16":    "$argon2id$v=16$m=256,t=2,p=1$" + salt + "$" + key,
		"argon2id no version":    "$argon2id$m=256,t=2,p=1$" + salt + "$" + key,
		"argon2id memory":        argon("m=262145,t=1,p=1"),
		"argon2id all memory":    argon("m=4294967295,t=1,p=1"),
		"argon2id memory 2^32":   argon("m=4294967296,t=1,p=1"),
		"argon2id time":          argon("m=256,t=17,p=1"),
		"argon2id time 0":        argon("m=256,t=0,p=1"),
		"argon2id lanes":         argon("m=256,t=1,p=17"),
		"argon2id lanes 0":       argon("m=256,t=1,p=0"),
		"argon2id lanes 257":     argon("m=256,t=1,p=257"),
		"argon2id work":          argon("m=262144,t=5,p=1"),
		"argon2id m below 8p":    argon("m=31,t=1,p=4"),
		"argon2id order":         argon("t=1,m=256,p=1"),
		"argon2id twice":         argon("m=256,t=1,p=1,p=1"),
		"argon2id missing":       argon("m=256,t=1"),
		"argon2id keyid":         argon("m=256,t=1,p=1,keyid=a"),
		"argon2id leading zero":  argon("m=0256,t=1,p=1"),
		"argon2id sign":          argon("m=+256,t=1,p=1"),
		"argon2id space":         argon("m= 256,t=1,p=1"),
		"argon2id short salt":    "$argon2id$v=19$m=256,t=2,p=1$c29tZXM$" + key,
		"argon2id long salt":     "$argon2id$v=19$m=256,t=2,p=1$" + strings.Repeat("AAAA", 22) + "$" + key,
		"argon2id short key":     "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$nf65EOgLrQMR",
		"argon2id long key":      "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + strings.Repeat("AAAA", 22),
		"argon2id no key":        "$argon2id$v=19$m=256,t=2,p=1$" + salt,
		"argon2id empty key":     "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$",
		"argon2id padded":        "$argon2id$v=19$m=256,t=2,p=1$" + salt + "=$" + key,
		"argon2id stray bits":    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHR$" + key,
		"argon2id line feed":     "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhb\nHQ$" + key,
		"argon2id more":          argon("m=256,t=1,p=1") + "$x",
		"argon2id base64 of url": "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + strings.ReplaceAll(key, "/", "_"),
	} {
		h, err := ParseHash(text)
		if err == nil {
			t.Errorf("%s is taken", name)
			continue
		}
		if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: the error repeats the hash: %v", name, err)
		}
		if h.Verify("") {
			t.Errorf("%s: the zero Hash matches", name)
		}
	}
}

// TestHashIsNotPrinted checks that no verb gets a hash out of a Hash.
func TestHashIsNotPrinted(t *testing.T) {
	h, err := ParseHash(verifyTests[4].hash)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(verb, h); strings.Contains(got, "nf65") || strings.Contains(got, "argon2id$") {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

// FuzzParseHash checks that what is taken is within bounds and prints as it was read. It does not
// compute hashes, which would be slow.
func FuzzParseHash(f *testing.F) {
	for _, tt := range verifyTests {
		f.Add(tt.hash)
	}
	f.Add(nobody.Encoded())
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$c29tZXNhbHQ$AAAA")
	f.Add("$2b$31$")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseHash(text)
		if err != nil {
			if h != (Hash{}) {
				t.Fatalf("%q: a hash with the error", text)
			}
			return
		}
		if h.Encoded() != text {
			t.Fatalf("%q is encoded as %q", text, h.Encoded())
		}
		a, isArgon2 := h.scheme.(*argon2Hash)
		if !isArgon2 {
			return
		}
		if a.encode() != text {
			t.Fatalf("%q is printed as %q", text, a.encode())
		}
		if a.memory > maxArgon2Memory || a.time < 1 || a.memory*a.time > maxArgon2Work || a.lanes < 1 ||
			len(a.salt) > maxSalt || len(a.key) < minKey || len(a.key) > maxKey {
			t.Fatalf("%q is out of bounds", text)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	h, err := ParseHash(nobody.Encoded())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		h.Verify("password")
	}
}
