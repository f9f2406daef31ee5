package ftp

import (
	"net/netip"
	"testing"
)

func TestParsePORT(t *testing.T) {
	for _, tc := range []struct {
		in, want string // "" for ErrHostPort
		from     string
	}{
		{"127,0,0,1,4,1", "127.0.0.1:1025", "C021"},
		{"255,255,255,255,255,255", "255.255.255.255:65535", ""},
		{"010,001,000,008,004,001", "10.1.0.8:1025", "zeros in front are decimal"},
		{"1,2,3,4,0,1", "1.2.3.4:1", "low port: the server's affair, C023"},
		{"1,2,3,4,5", "", "C024"},
		{"1,2,3,4,5,6,7", "", "C024"},
		{"256,0,0,1,1,1", "", "C025"},
		{"1,2,3,4,256,1", "", "C025"},
		{"-1,0,0,1,4,1", "", "C026"},
		{"+1,0,0,1,4,1", "", ""},
		{"1,2,3,4,0,0", "", "port 0"},
		{"", "", ""},
		{"1,2,3,4,5,", "", ""},
		{",,,,,", "", ""},
		{"1, 2,3,4,5,6", "", "blanks"},
		{" 1,2,3,4,5,6", "", "blanks"},
		{"1,2,3,4,5,6 ", "", "blanks"},
		{"1,2,3,4,5,0006", "", "four digits"},
		{"4294967297,0,0,1,4,1", "", "FIELD B4: overflow"},
		{"0x7f,0,0,1,4,1", "", ""},
		{"127.0.0.1:1025", "", ""},
		{"\xd9\xa1,0,0,1,4,1", "", "digits of another script"},
	} {
		got, err := ParsePORT(tc.in)
		if tc.want == "" {
			if err != ErrHostPort {
				t.Errorf("%q: %v, %v (%s)", tc.in, got, err, tc.from)
			}
			continue
		}
		if err != nil || got != netip.MustParseAddrPort(tc.want) {
			t.Errorf("%q: %v, %v (%s)", tc.in, got, err, tc.from)
		}
	}
}

func TestParseEPRT(t *testing.T) {
	for _, tc := range []struct {
		in, want string
		err      error
		from     string
	}{
		{"|1|132.235.1.2|6275|", "132.235.1.2:6275", nil, "RFC 2428 2"},
		{"|2|1080::8:800:200C:417A|5282|", "[1080::8:800:200c:417a]:5282", nil, "RFC 2428 2"},
		{"!1!1.2.3.4!99!", "1.2.3.4:99", nil, "C171"},
		{"~1~1.2.3.4~99~", "1.2.3.4:99", nil, "delimiter 126"},
		{"|2|::ffff:10.0.0.1|99|", "10.0.0.1:99", nil, "mapped: compared as IPv4"},
		{"|3|x|1|", "", ErrProtocol, "C167"},
		{"|0|1.2.3.4|1|", "", ErrProtocol, ""},
		{"|01|1.2.3.4|1|", "", ErrProtocol, "the numbers are 1 and 2"},
		{"|1|1.2.3.4|99999|", "", ErrExtHostPort, "C169"},
		{"|1|1.2.3.4|65536|", "", ErrExtHostPort, ""},
		{"|1|1.2.3.4|0|", "", ErrExtHostPort, ""},
		{"|1|1.2.3.4|-1|", "", ErrExtHostPort, ""},
		{"|1|1.2.3.4|000099|", "", ErrExtHostPort, "six digits"},
		{"xyz", "", ErrExtHostPort, "C170"},
		{"", "", ErrExtHostPort, ""},
		{"|", "", ErrExtHostPort, ""},
		{"|1|1.2.3.4|99", "", ErrExtHostPort, "no last delimiter"},
		{"|1|1.2.3.4|99|x", "", ErrExtHostPort, "something behind"},
		{"|1|1.2.3.4|99||", "", ErrExtHostPort, ""},
		{"|x|1.2.3.4|99|", "", ErrExtHostPort, ""},
		{"||1.2.3.4|99|", "", ErrExtHostPort, ""},
		{"|1|::1|99|", "", ErrExtHostPort, "families disagree"},
		{"|2|1.2.3.4|99|", "", ErrExtHostPort, "families disagree"},
		{"|1|1.2.3|99|", "", ErrExtHostPort, ""},
		{"|1|01.2.3.4|99|", "", ErrExtHostPort, "octal or decimal?"},
		{"|1|localhost|99|", "", ErrExtHostPort, "no names"},
		{"|2|fe80::1%eth0|99|", "", ErrExtHostPort, "a zone is ours"},
		{" 1 1.2.3.4 99 ", "", ErrExtHostPort, "delimiter 32"},
		{"\x7f1\x7f1.2.3.4\x7f99\x7f", "", ErrExtHostPort, "delimiter 127"},
	} {
		got, err := ParseEPRT(tc.in)
		if err != tc.err || tc.want != "" && got != netip.MustParseAddrPort(tc.want) {
			t.Errorf("%q: %v, %v (%s)", tc.in, got, err, tc.from)
		}
	}
	if ErrProtocol.Code != CodeBadProtocol || ErrExtHostPort.Code != CodeBadArgument {
		t.Error("wrong codes")
	}
}

func TestParseEPSV(t *testing.T) {
	for _, tc := range []struct {
		in     string
		family Family
		all    bool
		err    error
	}{
		{"", 0, false, nil},     // C159
		{"1", IPv4, false, nil}, // C160
		{"2", IPv6, false, nil},
		{"ALL", 0, true, nil}, // C163
		{"all", 0, true, nil},
		{"9", 0, false, ErrProtocol}, // C162
		{"99999999999999999999", 0, false, ErrProtocol},
		{"x", 0, false, ErrEPSVArg},
		{"1 ", 0, false, ErrEPSVArg},
		{"-1", 0, false, ErrEPSVArg},
	} {
		family, all, err := ParseEPSV(tc.in)
		if family != tc.family || all != tc.all || err != tc.err {
			t.Errorf("%q: %v %v %v", tc.in, family, all, err)
		}
	}
	if got := ProtocolText(IPv4); got != "Network protocol not supported, use (1)" { // C161
		t.Error(got)
	}
	if got := ProtocolText(IPv4, IPv6); got != ErrProtocol.What {
		t.Error(got)
	}
}

func TestParse227(t *testing.T) {
	for _, tc := range []struct{ in, want, from string }{
		{"Entering Passive Mode (127,0,0,1,4,1)", "127.0.0.1:1025", "RFC 959"},
		{"Entering Passive Mode (127,0,0,1,4,1).", "127.0.0.1:1025", "vsftpd"},
		{"Entering Passive Mode. 127,0,0,1,4,1", "127.0.0.1:1025", "RFC 1123 4.1.2.6"},
		{"=127,0,0,1,4,1", "127.0.0.1:1025", "publicfile"},
		{"127,0,0,1,4,1", "127.0.0.1:1025", ""},
		{"Passive Mode (127, 0, 0, 1, 4, 1)", "127.0.0.1:1025", "blanks"},
		{"Passive 2 mode (0,0,0,0,4,1)", "0.0.0.0:1025", "digits before; unspecified address"},
		{"No. 1,2,3 (10,0,0,1,4,1)", "10.0.0.1:1025", "numbers before"},
		{"(127,0,0,1,4,256)", "", ""},
		{"(1270,0,0,1,4,1)", "", "not 270,0,.. nor 70,0,.."},
		{"(127,0,0,1,4)", "", ""},
		{"(127,0,0,1,0,0)", "", "port 0"},
		{"(127,0,0,1,4,1000)", "", ""},
		{"", "", ""},
	} {
		got, err := Parse227(tc.in)
		if tc.want == "" {
			if err != ErrNoAddr {
				t.Errorf("%q: %v, %v (%s)", tc.in, got, err, tc.from)
			}
			continue
		}
		if err != nil || got != netip.MustParseAddrPort(tc.want) {
			t.Errorf("%q: %v, %v (%s)", tc.in, got, err, tc.from)
		}
	}
}

func TestParse229(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want uint16
		from string
	}{
		{"Entering Extended Passive Mode (|||6446|)", 6446, "RFC 2428 3"},
		{"Entering Extended Passive Mode (|||6446|).", 6446, ""},
		{"ok (!!!6446!)", 6446, "another delimiter"},
		{"ok |||6446|", 6446, "no parentheses"},
		{"ok (|1|1.2.3.4|6446|)", 6446, "filled fields"},
		{"ok (|2|::1|6446|)", 6446, "filled fields"},
		{"Use EPSV, always... (|||6446|)", 6446, "punctuation before"},
		{"(|||0|)", 0, "port 0"},
		{"(|||65536|)", 0, ""},
		{"(|||6446)", 0, "no last delimiter"},
		{"(||6446|)", 0, ""},
		{"(6446)", 0, ""},
		{"(|x||6446|)", 0, ""},
		{"", 0, ""},
	} {
		got, err := Parse229(tc.in)
		if got != tc.want || (err == nil) != (tc.want != 0) {
			t.Errorf("%q: %v, %v (%s)", tc.in, got, err, tc.from)
		}
	}
}

func TestPrintAddr(t *testing.T) {
	mapped := netip.MustParseAddrPort("[::ffff:10.1.2.3]:65535")
	if got := Text227(mapped); got != "Entering Passive Mode (10,1,2,3,255,255)." {
		t.Error(got)
	}
	if got := string(AppendEPRT(nil, mapped)); got != "|1|10.1.2.3|65535|" {
		t.Error(got)
	}
	if got := string(AppendEPRT(nil, netip.MustParseAddrPort("[fe80::1%eth0]:21"))); got != "|2|fe80::1|21|" {
		t.Error(got)
	}
	if got := Text229(6446); got != "Entering Extended Passive Mode (|||6446|)" {
		t.Error(got)
	}
	defer func() {
		if recover() == nil {
			t.Error("227 with IPv6 does not panic") // C030
		}
	}()
	Text227(netip.MustParseAddrPort("[::1]:1"))
}

func FuzzPORT(f *testing.F) {
	for _, s := range []string{"127,0,0,1,4,1", "256,0,0,1,1,1", "1,2,3,4,5", "-1,0,0,1,4,1", "010,1,1,1,1,1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		ap, err := ParsePORT(in)
		if err != nil {
			return
		}
		if again, err := ParsePORT(string(AppendPORT(nil, ap))); again != ap || err != nil || ap.Port() == 0 {
			t.Fatalf("%q: %v became %v, %v", in, ap, again, err)
		}
		if lax, err := Parse227(in); lax != ap || err != nil {
			t.Fatalf("%q: 227 reads %v, %v", in, lax, err)
		}
	})
}

func FuzzEPRT(f *testing.F) {
	for _, s := range []string{"|1|132.235.1.2|6275|", "|2|::1|1|", "!3!x!1!", "|2|fe80::1%x|1|", "|2|::ffff:1.2.3.4|1|"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		ap, err := ParseEPRT(in)
		if err != nil {
			return
		}
		if again, err := ParseEPRT(string(AppendEPRT(nil, ap))); again != ap || err != nil || ap.Addr().Is4In6() {
			t.Fatalf("%q: %v became %v, %v", in, ap, again, err)
		}
		if port, err := Parse229(in); in[0] != '.' && in[0] != ':' && err == nil && port != ap.Port() {
			t.Fatalf("%q: 229 reads %v", in, port)
		}
	})
}

func Fuzz227(f *testing.F) {
	for _, s := range []string{"Entering Passive Mode (127,0,0,1,4,1).", "=1,2,3,4,5,6", "(1270,0,0,1,4,1)", "1,1,1,1,1,1,1,1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		ap, err := Parse227(in)
		if err != nil {
			return
		}
		if again, err := Parse227(Text227(ap)); again != ap || err != nil || ap.Port() == 0 {
			t.Fatalf("%q: %v became %v, %v", in, ap, again, err)
		}
	})
}

func Fuzz229(f *testing.F) {
	for _, s := range []string{"Entering Extended Passive Mode (|||6446|)", "!!!1!", "(|1|1.2.3.4|5|)", "((((", "...1."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		port, err := Parse229(in)
		if err != nil {
			return
		}
		if again, err := Parse229(Text229(port)); again != port || err != nil || port == 0 {
			t.Fatalf("%q: %v became %v, %v", in, port, again, err)
		}
	})
}
