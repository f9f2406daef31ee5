package ftp

// anyReply are the codes every verb may answer: the session ends (421),
// something broke (451), the line is wrong or not served (500 to 503), and the
// login is missing or lacks a right (530, 550).
var anyReply = []Code{
	CodeServiceClosing, CodeLocalError,
	CodeSyntax, CodeBadArgument, CodeNotImplemented, CodeBadSequence,
	CodeNotLoggedIn, CodeUnavailable,
}

var (
	// sendReplies: the server sends over the data connection.
	sendReplies = []Code{
		CodeRestartMarker, CodeDataOpen, CodeOpeningData, CodeTransferDone, CodeFileOK,
		CodeNoData, CodeAborted, CodeBusy, CodeBadParameter, CodeNoSuchProt, CodeBadProtocol, CodePolicy,
		CodeBadName, CodeBadRestart,
	}
	// storeReplies: the server stores what comes over it.
	storeReplies = []Code{
		CodeRestartMarker, CodeDataOpen, CodeOpeningData, CodeTransferDone, CodeFileOK,
		CodeNoData, CodeAborted, CodeBusy, CodeNoSpace, CodeNoSuchProt, CodeBadProtocol,
		CodeStoreNeedsAcct, CodePolicy, CodePageType, CodeQuota, CodeBadName, CodeBadRestart,
	}
	changeReplies = []Code{CodeFileOK, CodeBusy, CodeBadName}
	hashReplies   = []Code{CodeFileStatus, CodeFileOK, CodeMD5, CodeMD5List, CodeAborted, CodeBusy, CodeBadName, CodeBadRestart}
	paramReplies  = []Code{CodeOK, CodeBadParameter}
)

// xhashSyntax: a path in quotes may be followed by the first byte and the one
// after the last.
const xhashSyntax = "<SP> pathname"

// table is the command table. A row means that a server serves the verb. To add
// one: a row here, its handler in the server, and its line removed from
// unserved.
//
// The pre-login set is what conformance allows (RFC 959, 2228, 2389, 7151): see
// TestSets. An alias row names its verb and its document; the rest is
// filled in from the verb's row.
var table = fillAliases([]Command{
	// Access control, RFC 959 section 4.1.1.
	{
		Verb: "USER", Arg: ArgRequired, Syntax: "<SP> username", RFC: "959 4.1.1",
		Replies: []Code{CodeLoggedIn, CodeLoggedInByCert, CodeNeedPassword, CodeNeedAccount, CodePolicy},
	},
	{
		Verb: "PASS", Arg: ArgOpaque, Secret: true, Syntax: "<SP> password", RFC: "959 4.1.1",
		Replies: []Code{CodeSuperfluous, CodeLoggedIn, CodeNeedAccount},
	},
	{
		// Account information is half a password in some systems.
		Verb: "ACCT", Arg: ArgRequired, Login: true, Secret: true,
		Syntax: "<SP> account-information", RFC: "959 4.1.1",
		Replies: []Code{CodeSuperfluous, CodeLoggedIn},
	},
	{
		Verb: "REIN", Arg: ArgNone, Login: true, RFC: "959 4.1.1",
		Replies: []Code{CodeReadyLater, CodeReady},
	},
	{
		Verb: "QUIT", Arg: ArgNone, Busy: BusyLast, RFC: "959 4.1.1",
		Replies: []Code{CodeClosing},
	},

	// Security, RFC 2228 and 4217.
	{
		Verb: "AUTH", Arg: ArgRequired, Secret: true, Feat: "AUTH TLS", Syntax: "<SP> mechanism", RFC: "2228 3",
		Replies: []Code{CodeAuthAccepted, CodeBadParameter, CodeNoSecurity, CodePolicy},
	},
	{
		Verb: "PBSZ", Arg: ArgRequired, Feat: "PBSZ", Syntax: "<SP> size", RFC: "2228 3",
		Replies: []Code{CodeOK},
	},
	{
		Verb: "PROT", Arg: ArgRequired, Feat: "PROT", Syntax: "<SP> { C | P }", RFC: "2228 3",
		Replies: []Code{CodeOK, CodeBadParameter, CodeNoSecurity, CodePolicy, CodeProtUnsupported},
	},
	{
		Verb: "CCC", Arg: ArgNone, Feat: "CCC", RFC: "2228 3",
		Replies: []Code{CodeOK, CodeProtDenied, CodePolicy},
	},

	// Directories.
	{
		Verb: "PWD", Arg: ArgNone, Login: true, RFC: "959 4.1.3",
		Replies: []Code{CodePath},
	},
	{Verb: "XPWD", AliasOf: "PWD", RFC: "775"},
	{
		// CWD without a path is refused: there is no telling what was meant.
		Verb: "CWD", Arg: ArgRequired, Login: true, Syntax: "<SP> pathname", RFC: "959 4.1.1",
		Replies: []Code{CodeFileOK, CodeBadName},
	},
	{Verb: "XCWD", AliasOf: "CWD", RFC: "775"},
	{
		Verb: "CDUP", Arg: ArgNone, Login: true, RFC: "959 4.1.1",
		Replies: []Code{CodeOK, CodeFileOK},
	},
	{Verb: "XCUP", AliasOf: "CDUP", RFC: "775"},
	{
		Verb: "MKD", Arg: ArgRequired, Login: true, Perm: PermMkdir,
		Syntax: "<SP> pathname", RFC: "959 4.1.3",
		Replies: []Code{CodePath, CodeBusy, CodeNoSpace, CodeNoSuchProt, CodeQuota, CodeBadName},
	},
	{Verb: "XMKD", AliasOf: "MKD", RFC: "775"},
	{
		Verb: "RMD", Arg: ArgRequired, Login: true, Perm: PermRmdir,
		Syntax: "<SP> pathname", RFC: "959 4.1.3",
		Replies: changeReplies,
	},
	{Verb: "XRMD", AliasOf: "RMD", RFC: "775"},

	// Transfer parameters, RFC 959 section 4.1.2.
	{
		Verb: "TYPE", Arg: ArgRequired, Login: true,
		Syntax: "<SP> { A [<SP> { N | T }] | I | L <SP> 8 }", RFC: "959 4.1.2",
		Replies: paramReplies,
	},
	{
		Verb: "STRU", Arg: ArgRequired, Login: true, Syntax: "<SP> F", RFC: "959 4.1.2",
		Replies: paramReplies,
	},
	{
		Verb: "MODE", Arg: ArgRequired, Login: true, Feat: "MODE Z", Syntax: "<SP> { S | Z }", RFC: "959 4.1.2",
		Replies: paramReplies,
	},
	{
		Verb: "PASV", Arg: ArgNone, Login: true, Seq: KeepsRest, RFC: "959 4.1.2",
		Replies: []Code{CodePassive, CodeNoData, CodeBadProtocol},
	},
	{
		Verb: "EPSV", Arg: ArgOptional, Login: true, Seq: KeepsRest, Feat: "EPSV",
		Syntax: "[<SP> { 1 | 2 | ALL }]", RFC: "2428 3",
		Replies: []Code{CodeOK, CodeExtendedPassive, CodeNoData, CodeBadProtocol},
	},
	{
		Verb: "PORT", Arg: ArgRequired, Login: true, Seq: KeepsRest,
		Syntax: "<SP> h1,h2,h3,h4,p1,p2", RFC: "959 4.1.2",
		Replies: []Code{CodeOK, CodeNoData, CodeBadParameter, CodeBadProtocol},
	},
	{
		Verb: "EPRT", Arg: ArgRequired, Login: true, Seq: KeepsRest, Feat: "EPRT",
		Syntax: "<SP> |protocol|address|port|", RFC: "2428 2",
		Replies: []Code{CodeOK, CodeNoData, CodeBadParameter, CodeBadProtocol},
	},

	// Transfers.
	{
		Verb: "RETR", Arg: ArgRequired, Login: true, Perm: PermRead, Data: true, Seq: UsesRest,
		Syntax: "<SP> pathname", RFC: "959 4.1.3",
		Replies: sendReplies,
	},
	{
		Verb: "STOR", Arg: ArgRequired, Login: true, Perm: PermWrite, Data: true, Seq: UsesRest,
		Syntax: "<SP> pathname", RFC: "959 4.1.3",
		Replies: storeReplies,
	},
	{
		// A name to begin with is no part of it (RFC 959).
		Verb: "STOU", Arg: ArgNone, Login: true, Perm: PermWrite, Data: true, RFC: "1123 4.1.2.9",
		Replies: storeReplies,
	},
	{
		// RFC 3659 gives REST before APPE no meaning, so APPE drops it.
		Verb: "APPE", Arg: ArgRequired, Login: true, Perm: PermAppend, Data: true,
		Syntax: "<SP> pathname", RFC: "959 4.1.3",
		Replies: storeReplies,
	},
	{
		Verb: "ALLO", Arg: ArgRequired, Login: true, Seq: KeepsRest,
		Syntax: "<SP> size [<SP> R <SP> record-size]", RFC: "959 4.1.3",
		Replies: []Code{CodeOK, CodeSuperfluous, CodeNoSpace, CodeBadParameter, CodeQuota},
	},
	{
		Verb: "REST", Arg: ArgRequired, Login: true, Seq: SetsRest, Feat: "REST STREAM",
		Syntax: "<SP> offset", RFC: "3659 5",
		Replies: []Code{CodePending, CodeBadParameter, CodeBadRestart},
	},
	{
		Verb: "RANG", Arg: ArgRequired, Login: true, Seq: SetsRest, Feat: "RANG STREAM",
		Syntax: "<SP> first-byte <SP> last-byte", RFC: "draft-bryan-ftp-range",
		Replies: []Code{CodePending, CodeBadParameter, CodeBadRestart},
	},
	{
		Verb: "ABOR", Arg: ArgNone, Login: true, Busy: BusyNow, RFC: "959 4.1.3",
		Replies: []Code{CodeDataIdle, CodeTransferDone},
	},

	// Listings.
	{
		Verb: "LIST", Arg: ArgOptional, Login: true, Perm: PermList, Data: true,
		Syntax: "[<SP> pathname]", RFC: "959 4.1.3",
		Replies: sendReplies,
	},
	{
		Verb: "NLST", Arg: ArgOptional, Login: true, Perm: PermList, Data: true,
		Syntax: "[<SP> pathname]", RFC: "959 4.1.3",
		Replies: sendReplies,
	},
	{
		Verb: "MLSD", Arg: ArgOptional, Login: true, Perm: PermList, Data: true,
		Syntax: "[<SP> pathname]", RFC: "3659 7",
		Replies: sendReplies,
	},
	{
		Verb: "MLST", Arg: ArgOptional, Login: true, Perm: PermList, Feat: "MLST",
		Syntax: "[<SP> pathname]", RFC: "3659 7",
		Replies: []Code{CodeFileOK, CodeBusy, CodeBadName},
	},
	{
		Verb: "SIZE", Arg: ArgRequired, Login: true, Perm: PermList, Feat: "SIZE",
		Syntax: "<SP> pathname", RFC: "3659 4",
		Replies: []Code{CodeFileStatus, CodeBusy, CodeBadName},
	},
	{
		Verb: "MDTM", Arg: ArgRequired, Login: true, Perm: PermList, Feat: "MDTM",
		Syntax: "<SP> pathname", RFC: "3659 3",
		Replies: []Code{CodeFileStatus, CodeBusy, CodeBadName},
	},

	{
		Verb: "HASH", Arg: ArgRequired, Login: true, Perm: PermRead, Seq: UsesRest, Feat: "HASH",
		Syntax: "<SP> pathname", RFC: "draft-bryan-ftpext-hash",
		Replies: hashReplies,
	},
	{
		Verb: "XCRC", Arg: ArgRequired, Login: true, Perm: PermRead, Feat: "XCRC", Syntax: xhashSyntax, RFC: "de facto",
		Replies: hashReplies,
	},
	{
		Verb: "XMD5", Arg: ArgRequired, Login: true, Perm: PermRead, Feat: "XMD5", Syntax: xhashSyntax, RFC: "de facto",
		Replies: hashReplies,
	},
	{
		Verb: "XSHA1", Arg: ArgRequired, Login: true, Perm: PermRead, Feat: "XSHA1", Syntax: xhashSyntax, RFC: "de facto",
		Replies: hashReplies,
	},
	{Verb: "XSHA", AliasOf: "XSHA1", RFC: "de facto"},
	{
		Verb: "XSHA256", Arg: ArgRequired, Login: true, Perm: PermRead, Feat: "XSHA256", Syntax: xhashSyntax, RFC: "de facto",
		Replies: hashReplies,
	},
	{
		Verb: "XSHA512", Arg: ArgRequired, Login: true, Perm: PermRead, Feat: "XSHA512", Syntax: xhashSyntax, RFC: "de facto",
		Replies: hashReplies,
	},
	{
		Verb: "MD5", Arg: ArgRequired, Login: true, Perm: PermRead, Feat: "MD5",
		Syntax: "<SP> pathname", RFC: "draft-twine-ftpmd5", Replies: hashReplies,
	},
	{
		Verb: "MMD5", Arg: ArgRequired, Login: true, Perm: PermRead, Feat: "MMD5",
		Syntax: "<SP> pathname, ...", RFC: "draft-twine-ftpmd5", Replies: hashReplies,
	},
	{
		Verb: "AVBL", Arg: ArgOptional, Login: true, Perm: PermList, Feat: "AVBL",
		Syntax: "[<SP> pathname]", RFC: "draft-peterson-streamlined-ftp-command-extensions",
		Replies: []Code{CodeFileStatus, CodeBusy, CodeBadName},
	},

	// Changes.
	{
		Verb: "DELE", Arg: ArgRequired, Login: true, Perm: PermDelete,
		Syntax: "<SP> pathname", RFC: "959 4.1.3",
		Replies: changeReplies,
	},
	{
		Verb: "RNFR", Arg: ArgRequired, Login: true, Perm: PermRename, Seq: SetsRename,
		Syntax: "<SP> pathname", RFC: "959 4.1.3",
		Replies: []Code{CodePending, CodeBusy, CodeBadName},
	},
	{
		Verb: "RNTO", Arg: ArgRequired, Login: true, Perm: PermRename, Seq: UsesRename,
		Syntax: "<SP> pathname", RFC: "959 4.1.3",
		Replies: []Code{CodeFileOK, CodeBusy, CodeNoSpace, CodeStoreNeedsAcct, CodeQuota, CodeBadName},
	},

	{
		Verb: "MFMT", Arg: ArgRequired, Login: true, Perm: PermWrite, Feat: "MFMT",
		Syntax: "<SP> YYYYMMDDhhmmss <SP> pathname", RFC: "draft-somers-ftp-mfxx",
		Replies: []Code{CodeFileStatus, CodeBusy, CodeBadName},
	},
	{
		Verb: "MFF", Arg: ArgRequired, Login: true, Perm: PermWrite, Feat: "MFF Modify;UNIX.mode;",
		Syntax: "<SP> { Modify=time; | UNIX.mode=octal; } <SP> pathname", RFC: "draft-somers-ftp-mfxx",
		Replies: []Code{CodeFileStatus, CodeBusy, CodeBadParameter, CodeBadName},
	},
	{
		// What SITE's own commands want is in siteTable.
		Verb: "SITE", Arg: ArgRequired, Login: true, Syntax: "<SP> command", RFC: "959 4.1.3",
		Replies: []Code{
			CodeOK, CodeSuperfluous, CodeHelp, CodeFileOK, CodePath, CodePending, CodeAborted, CodeBusy, CodeNoSpace,
			CodeBadParameter, CodeStoreNeedsAcct, CodeQuota, CodeBadName,
		},
	},

	// Information.
	{
		Verb: "SYST", Arg: ArgNone, RFC: "959 4.1.3",
		Replies: []Code{CodeSystemType},
	},
	{
		Verb: "STAT", Arg: ArgOptional, Login: true, Perm: PermList, Busy: BusyNowBare,
		Syntax: "[<SP> pathname]", RFC: "959 4.1.3",
		Replies: []Code{CodeSystemStatus, CodeDirStatus, CodeFileStatus, CodeBusy, CodeBadParameter, CodeBadName},
	},
	{
		Verb: "HELP", Arg: ArgOptional, Syntax: "[<SP> command]", RFC: "959 4.1.3",
		Replies: []Code{CodeSystemStatus, CodeHelp, CodeBadParameter},
	},
	{
		Verb: "NOOP", Arg: ArgNone, RFC: "959 4.1.3",
		Replies: []Code{CodeOK},
	},
	{
		Verb: "FEAT", Arg: ArgNone, RFC: "2389 3",
		Replies: []Code{CodeSystemStatus},
	},
	{
		Verb: "OPTS", Arg: ArgRequired, Syntax: "<SP> command [<SP> options]", RFC: "2389 4",
		Replies: []Code{CodeOK, CodeBadParameter},
	},
	{
		Verb: "HOST", Arg: ArgRequired, Feat: "HOST", Syntax: "<SP> hostname", RFC: "7151 3",
		Replies: []Code{CodeReady, CodeBadParameter},
	},
	{
		Verb: "LANG", Arg: ArgOptional, Login: true, Feat: "LANG EN*", Syntax: "[<SP> language-tag]", RFC: "2640 4",
		Replies: []Code{CodeOK, CodeBadParameter},
	},
	{
		Verb: "CSID", Arg: ArgRequired, Login: true, Feat: "CSID", Syntax: "<SP> Name=client; Version=number;",
		RFC:     "draft-peterson-streamlined-ftp-command-extensions",
		Replies: []Code{CodeOK},
	},
	{
		Verb: "CLNT", Arg: ArgRequired, Feat: "CLNT", Syntax: "<SP> client-name", RFC: "de facto",
		Replies: []Code{CodeOK},
	},
})

var byVerb = indexTable(table)

// unserved are the verbs of RFC 5797's registry, of the older RFCs and of drafts
// in use that have no row.
var unserved = []struct{ verb, rfc string }{
	{"SMNT", "959 4.1.1"},
	{"ADAT", "2228 3"},
	{"MIC", "2228 3"},
	{"CONF", "2228 3"},
	{"ENC", "2228 3"},
	{"LPRT", "1639 2"},
	{"LPSV", "1639 2"},
	{"MFCT", "draft-somers-ftp-mfxx"},
	{"COMB", "draft-peterson-streamlined-ftp-command-extensions"},
	{"DSIZ", "draft-peterson-streamlined-ftp-command-extensions"},
	{"RMDA", "draft-peterson-streamlined-ftp-command-extensions"},
	{"THMB", "draft-peterson-streamlined-ftp-command-extensions"},
	{"MLFL", "542"},
	{"MAIL", "765"},
	{"MSND", "765"},
	{"MSOM", "765"},
	{"MSAM", "765"},
	{"MRSQ", "765"},
	{"MRCP", "765"},
	{"XRSQ", "743"},
	{"XRCP", "743"},
	{"XSEN", "737"},
	{"XSEM", "737"},
	{"XMAS", "737"},
}

// fillAliases copies to each alias row what it shares with its verb's row.
func fillAliases(rows []Command) []Command {
	for i := range rows {
		alias := rows[i]
		if alias.AliasOf == "" {
			continue
		}
		for _, row := range rows {
			if row.Verb == alias.AliasOf {
				row.Verb, row.AliasOf, row.RFC = alias.Verb, alias.AliasOf, alias.RFC
				rows[i] = row
			}
		}
	}
	return rows
}

func indexTable(rows []Command) map[string]*Command {
	m := make(map[string]*Command, len(rows))
	for i := range rows {
		m[rows[i].Verb] = &rows[i]
	}
	return m
}
