import type { EvidenceEvent } from './record.ts'
import type { Doer, DoerKind, Happening, Told, ToldAction, VerdictWords } from './verdict-words.ts'

// By the glossary of docs/words.md. “From” is “oddi wrth” here and never “gan”, which says by whom something was done.

const inUkTime = new Intl.DateTimeFormat('cy-GB', { timeZone: 'Europe/London', day: 'numeric', month: 'long', year: 'numeric' })
const clock = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/London',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

const moment = (at: Date) => `${inUkTime.format(at)} am ${clock.format(at)} (amser y DU)`

/** As it stands by itself, and as it is after “gan”. */
const kinds: Record<DoerKind, readonly [alone: string, afterGan: string]> = {
  owner: ['perchennog y blwch post', 'berchennog y blwch post'],
  helper: ['rhywun a all weithredu ar ran perchennog y blwch post', 'rywun a all weithredu ar ran perchennog y blwch post'],
  staff: ['aelod o staff', 'aelod o staff'],
  system: ['system gyfrifiadurol y corff cyhoeddus', 'system gyfrifiadurol y corff cyhoeddus'],
  registrar: ['cofrestrydd', 'gofrestrydd'],
  program: ['y rhaglen ei hun', 'y rhaglen ei hun'],
}

function doerIn({ kind, name, onBehalfOf }: Doer): string {
  const [alone, afterGan] = kinds[kind]
  if (name === undefined) return afterGan
  const whom = onBehalfOf === undefined ? '' : ` ar ran ${onBehalfOf}`
  return kind === 'owner' ? name : `${name}${whom} (${alone})`
}

type Words = Record<
  'sender' | 'recipient' | 'letter' | 'on' | 'doer' | 'channel' | 'reasons' | 'issuer' | 'span' | 'asked' | 'became',
  string
>

function wordsOf(told: Told): Words {
  return {
    sender: told.sender,
    recipient: told.recipient ?? 'y derbynnydd',
    // Its article is before it, as “y” or within “o’r”.
    letter: told.subject === undefined ? 'llythyr' : `llythyr “${told.subject}”`,
    on: `ar ${moment(told.at)}`,
    doer: told.doer ? ` gan ${doerIn(told.doer)}` : '',
    channel: told.channel === undefined ? '' : ` drwy ${told.channel}`,
    reasons: told.reasons.length > 0 ? `: ${told.reasons.join('; ')}` : '',
    issuer: told.issuer,
    asked: told.action?.label ?? '',
    became: told.action ? becameIn(told.action) : '',
    span: `${told.from ? ` o ${moment(told.from)}` : ''}${told.until ? ` tan ${moment(told.until)}` : ''}`,
  }
}

const whoWhatWhen = ['pwy anfonodd beth at bwy', 'pryd']
const isRead = 'bod unrhyw un wedi’i ddarllen'

const happenings: Record<EvidenceEvent, (words: Words) => Happening> = {
  'message.accepted': ({ sender, recipient, letter, on }) => ({
    what: `Anfonodd ${sender} y ${letter} at ${recipient}, ac fe’i derbyniwyd ${on}`,
    proved: whoWhatWhen,
    notProved: ['ei fod yn y blwch post', isRead],
  }),
  'message.rejected': ({ sender, letter, on, reasons }) => ({
    what: `Ceisiodd ${sender} anfon y ${letter}, ac fe’i gwrthodwyd ${on}${reasons}`,
    proved: ['iddo gael ei gyflwyno a’i wrthod', 'pryd', 'pam'],
    notProved: ['iddo gyrraedd neb'],
  }),
  'message.available': ({ sender, recipient, letter, on }) => ({
    what: `Rhoddodd ${sender} y ${letter} ym mlwch post ${recipient} ${on}, lle gellid ei ddarllen o hynny ymlaen`,
    proved: whoWhatWhen,
    notProved: [isRead],
  }),
  'message.failed': ({ sender, recipient, letter, on, reasons }) => ({
    what: `Ni ellid rhoi’r ${letter} oddi wrth ${sender} ym mlwch post ${recipient}, fel y canfuwyd ${on}${reasons}`,
    proved: ['na chafodd ei ddanfon yma', 'pryd', 'pam'],
    notProved: ['iddo gael ei ddanfon mewn ffordd arall'],
  }),
  'message.alerted': ({ sender, recipient, letter, on, channel }) => ({
    what: `Dywedwyd wrth ${recipient}${channel} ${on} fod post: y ${letter} oddi wrth ${sender}`,
    proved: ['i’r hysbysiad gael ei drosglwyddo', 'pryd'],
    notProved: ['bod unrhyw un wedi gweld yr hysbysiad', isRead],
  }),
  'message.alert-failed': ({ sender, recipient, letter, on, channel, reasons }) => ({
    what: `Ni ellid dweud wrth ${recipient}${channel} ${on} fod post, y ${letter} oddi wrth ${sender}${reasons}`,
    proved: ['i’r hysbysiad fethu', 'pryd', 'pam'],
    notProved: [isRead],
  }),
  'message.opened': ({ sender, recipient, letter, on, doer }) => ({
    what: `Agorwyd y ${letter} oddi wrth ${sender} ym mlwch post ${recipient} ${on}${doer}`,
    proved: ['iddo gael ei agor', 'pryd', 'pwy anfonodd beth at bwy'],
    notProved: ['bod unrhyw un wedi’i ddarllen hyd y diwedd, neu wedi’i ddeall'],
  }),
  'message.handed-over': ({ sender, recipient, letter, on, doer }) => ({
    what: `Trosglwyddwyd ffeil o’r ${letter} oddi wrth ${sender} ym mlwch post ${recipient} ${on}${doer}`,
    proved: ['pa ffeil a drosglwyddwyd', 'pryd'],
    notProved: ['bod unrhyw un wedi’i darllen'],
  }),
  'message.relayed': ({ sender, recipient, letter, on, channel }) => ({
    what: `Anfonwyd y ${letter} oddi wrth ${sender} at ${recipient} ymlaen${channel} ${on}, y tu allan i’r blwch post hwn`,
    proved: ['iddo gael ei anfon ymlaen', 'pryd'],
    notProved: ['iddo gyrraedd', isRead],
  }),
  'message.answered': ({ sender, recipient, letter, on, doer }) => ({
    what: `Atebwyd y ${letter} oddi wrth ${sender} at ${recipient} ${on}${doer}`,
    proved: ['iddo gael ei ateb', 'pryd', 'gan ba neges'],
    notProved: ['beth mae’r ateb yn ei ddweud'],
  }),
  'message.recalled': ({ sender, recipient, letter, on, doer, reasons }) => ({
    what: `Tynnwyd y ${letter} oddi wrth ${sender} at ${recipient} yn ôl ${on}${doer}${reasons}`,
    proved: ['iddo gael ei dynnu’n ôl', 'pryd'],
    notProved: ['nad oedd neb wedi’i ddarllen o’r blaen'],
  }),
  'message.served': ({ sender, recipient, letter, on }) => ({
    what: `Cofnodwyd ${on} fod y ${letter} oddi wrth ${sender} at ${recipient} wedi’i gyflwyno`,
    proved: whoWhatWhen,
    notProved: [isRead],
  }),
  'message.action': ({ sender, recipient, letter, on, doer, asked, became }) => ({
    what: `O’r hyn y mae’r ${letter} oddi wrth ${sender} yn ei ofyn gan ${recipient}, “${asked}”: ${became} ${on}${doer}`,
    proved: ['beth ddigwyddodd iddo', 'pryd', 'i ba lythyr y mae’n perthyn'],
    notProved: ['beth a wnaed y tu allan i’r blwch post hwn'],
  }),
  'service.interrupted': ({ issuer, span, on, reasons }) => ({
    what: `Ni ellid danfon na darllen post ar wasanaeth ${issuer}${span}, fel y cofnodwyd ${on}${reasons}`,
    proved: ['i’r cyhoeddwr gofnodi’r toriad', 'pryd'],
    notProved: ['pwy a gadwyd rhag eu post'],
  }),
  'service.restored': ({ issuer, span, on }) => ({
    what: `Gellid danfon a darllen post eto ar wasanaeth ${issuer}${span}, fel y cofnodwyd ${on}`,
    proved: ['i’r cyhoeddwr gofnodi diwedd y toriad', 'pryd'],
    notProved: ['pwy a gadwyd rhag eu post'],
  }),
}

function becameIn({ kind, state }: ToldAction): string {
  const words = {
    open: 'fe’i hailagorwyd',
    started: 'fe’i dechreuwyd',
    done: doneInWords[kind] ?? 'nodwyd ei fod wedi’i wneud',
    failed: 'rhoddwyd cynnig arno heb lwyddiant',
    cancelled: kind === 'book' ? 'fe’i gwrthodwyd' : 'fe’i canslwyd',
  }
  return words[state]
}

const doneInWords: Record<string, string> = {
  pay: 'fe’i talwyd',
  book: 'fe’i derbyniwyd',
  sign: 'fe’i llofnodwyd',
  confirm: 'fe’i cadarnhawyd',
}

const documentKinds = {
  main: 'prif ddogfen',
  additional: 'un o ddogfennau',
  technical: 'dogfen i beiriannau o eiddo',
  action: 'rhywbeth i’w wneud o',
}
const quoted = (name: string) => `“${name}”`

export const welsh: VerdictWords = {
  moment,
  // What comes after “and” decides between its two forms, so that there is none.
  list: (items) => items.join(', '),
  valid: (what, proved, notProved) =>
    `Dilys. ${what}. Profwyd: ${proved}.${notProved === '' ? '' : ` Ni phrofwyd: ${notProved}.`}`,
  ownKeys: (key) =>
    ` Daeth yr allweddi o’r dderbynneb ei hun, felly cymharwch ${key} â’r allweddi selio y mae’r gosodiad yn eu cyhoeddi yn /log/keys.json.`,
  noneCompared: 'beth mae ei ddogfennau’n ei ddweud, gan na chymharwyd yr un',
  othersNotCompared: 'beth mae unrhyw ddogfen na chymharwyd yn ei ddweud',
  belongs: (documents) =>
    documents === 1 ? 'bod y ddogfen a roddwyd yn perthyn iddo' : 'bod y dogfennau a roddwyd yn perthyn iddo',
  happening: (event, told) => happenings[event](wordsOf(told)),
  uncheckable: 'Ni ellir ei wirio.',
  form: {
    unreadable: 'Ni ellir darllen y ffeil.',
    noRecord: 'Nid cofnod prawf yw’r hyn sydd yn y dderbynneb.',
    notLookedAt: 'Heb ei wirio, gan na ellir darllen y ffeil.',
    notWhole: 'Nid yw’r ffeil fel y’i cyhoeddwyd: mae ei chrynodeb (digest) yn wahanol.',
    noKey: 'Nid yw un o’r allweddi’n allwedd.',
    passed: 'Mae’r ffeil yn gyfan ac wedi’i ffurfio’n gywir, ac mae popeth sydd ei angen yn ei chofnod.',
  },
  seal: {
    malformed: 'Nid yw’r sêl wedi’i hysgrifennu fel sêl prawf.',
    unknownKey: 'Mae’r sêl gan allwedd nad yw ymhlith y rhai i ymddiried ynddynt.',
    wrong: 'Mae’r sêl yn anghywir: nid yw ei llofnod yn cyfateb.',
    ofAnother: 'Sêl cofnod arall yw hon.',
    passed: (kid) => `Mae’r cofnod wedi’i selio gan allwedd ${kid} (ES256).`,
  },
  time: {
    witnessedBefore: 'Mae tyst yn dweud iddo weld hyn cyn iddo ddigwydd.',
    nobody: 'Neb ond y cyhoeddwr sy’n dweud pryd yr oedd: nid oes stamp amser na thyst.',
    stampedBefore: 'Mae’r stamp amser o adeg cyn iddo ddigwydd.',
    byWitnesses: (first) =>
      `Nid oes stamp amser. Y tystion sy’n dweud ei fod yn y log erbyn ${first}, gan fod amser ar bob cydlofnod.`,
    // Why is said in English only, by who reads the stamp.
    stampWrong: () => 'Nid yw’r stamp amser yn ddilys, neu nid yw gan awdurdod i ymddiried ynddo.',
    passed: (authority, at) => `Mae stamp amser (RFC 3161) gan ${authority} yn dweud ei fod yn y log erbyn ${at}.`,
  },
  content: {
    none: 'Ni roddwyd dogfen, felly ni chymharwyd yr un.',
    tooLarge: 'Mae’r dogfennau a roddwyd gyda’i gilydd yn fwy nag unrhyw lythyr.',
    tooMany: (most) => `Rhoddwyd mwy na ${most} o ddogfennau.`,
    noPart: (names) =>
      `Nid yw’r canlynol yn rhan o’r llythyr hwn, gan fod rhaid i bob beit fod yr un fath: ${names.map(quoted).join(', ')}.`,
    isPart: (name, kind, language, filename) =>
      kind === 'text'
        ? `${quoted(name)} yw testun y llythyr${language ? ` (${language})` : ''}.`
        : `${quoted(name)} yw ${documentKinds[kind]} y llythyr${filename ? `, ${quoted(filename)}` : ''}.`,
  },
  inclusion: {
    otherLog: 'Pwynt gwirio log arall yw hwn.',
    notSigned: 'Nid yw’r log wedi llofnodi’r pwynt gwirio.',
    notThere: 'Nid yw’r cofnod yn y log yn y lle y mae’r dderbynneb yn ei ddweud.',
    passed: (index, size, log) => `Cofnod ${index} o’r ${size} yn y log ${log} yw hwn, fel y dywed ei bwynt gwirio llofnodedig.`,
  },
  cosignatures: {
    unreadable: 'Ni ellir darllen cydlofnodion y tystion.',
    wrong: 'Mae cydlofnod yn anghywir.',
    unknown: 'Mae llofnod ar y pwynt gwirio gan allwedd anhysbys.',
    none: 'Nid oes tyst hysbys wedi cydlofnodi’r pwynt gwirio.',
    one: (name, at) => `${name} ar ${at}`,
    passed: (each) => `Mae’r pwynt gwirio wedi’i gydlofnodi gan ${each.join(', ')}.`,
  },
}
