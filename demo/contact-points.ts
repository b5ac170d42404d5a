import type { DeclaredContacts } from '../src/registry/declaration.ts'

const both = (en: string, cy: string) => ({ en, cy })

export const northfoldContacts: DeclaredContacts = {
  groups: [
    { slug: 'money', name: both('Council tax and money', 'Treth gyngor ac arian') },
    { slug: 'roads', name: both('Roads and parking', 'Ffyrdd a pharcio') },
    {
      slug: 'parking-fines',
      group: 'roads',
      name: both('Parking fines', 'Dirwyon parcio'),
      description: both(
        'A penalty charge notice that was left on your vehicle or came by post.',
        'Hysbysiad tâl cosb a adawyd ar eich cerbyd neu a ddaeth drwy’r post.',
      ),
    },
    { slug: 'home', name: both('Bins and recycling', 'Biniau ac ailgylchu') },
  ],
  points: [
    {
      slug: 'moving-home',
      service: 'council-tax',
      group: 'money',
      name: both('Tell us that you move home', 'Dweud wrthym eich bod yn symud tŷ'),
      description: both('Into, out of or within Northfold.', 'I mewn i Northfold, allan ohono neu o’i fewn.'),
      searchWords: both('moving house new address change of address moved', 'cyfeiriad newydd symud'),
      audience: ['person'],
      asks: [
        {
          label: both('Council tax account number', 'Rhif cyfrif treth gyngor'),
          hint: both('On your bill, such as CT-1001', 'Ar eich bil, fel CT-1001'),
          required: true,
          maxLength: 20,
        },
        {
          label: both('Date of your move', 'Dyddiad symud'),
          hint: both('For example, 27 March 2027', 'Er enghraifft, 27 Mawrth 2027'),
          maxLength: 30,
        },
      ],
    },
    {
      slug: 'council-tax',
      service: 'council-tax',
      group: 'money',
      name: both('Council tax: anything else', 'Treth gyngor: unrhyw beth arall'),
      description: both('Bills, payments, discounts and reductions.', 'Biliau, taliadau, gostyngiadau.'),
      searchWords: both('bill pay instalments discount band refund', 'bil talu gostyngiad'),
    },
    {
      slug: 'business-rates',
      service: 'council-tax',
      group: 'money',
      name: both('Business rates', 'Ardrethi busnes'),
      description: both('For businesses only.', 'I fusnesau yn unig.'),
      audience: ['business'],
    },
    {
      slug: 'appeal-a-parking-fine',
      service: 'parking',
      group: 'parking-fines',
      name: both('Appeal a parking fine', 'Apelio yn erbyn dirwy barcio'),
      description: both(
        'Say why you should not pay. Add photographs if you have some.',
        'Dywedwch pam na ddylech dalu. Ychwanegwch luniau os oes gennych rai.',
      ),
      searchWords: both('PCN penalty charge notice ticket challenge dispute', 'hysbysiad tâl cosb tocyn herio'),
      audience: ['person', 'business'],
      asks: [
        {
          label: both('Penalty charge notice number', 'Rhif hysbysiad tâl cosb'),
          hint: both('It begins with NF, and is at the top of the notice', 'Mae’n dechrau gyda NF, ar frig yr hysbysiad'),
          required: true,
          maxLength: 20,
        },
        {
          label: both('Registration number of the vehicle', 'Rhif cofrestru’r cerbyd'),
          maxLength: 10,
        },
      ],
      filesMax: 15,
      megabytesMax: 20,
    },
    {
      slug: 'parking',
      service: 'parking',
      group: 'roads',
      name: both('Permits and parking places', 'Trwyddedau a mannau parcio'),
      description: both(
        'Permits for residents and visitors, and places for disabled people.',
        'Trwyddedau i breswylwyr ac ymwelwyr.',
      ),
      searchWords: both('permit resident visitor blue badge disabled', 'trwydded bathodyn glas'),
    },
    {
      slug: 'parking-witness-statement',
      service: 'parking',
      group: 'parking-fines',
      name: both('Witness statement about a parking fine', 'Datganiad tyst am ddirwy barcio'),
      description: { en: 'Only if we have asked you for one.' },
      visible: false,
      filesMax: 3,
      megabytesMax: 5,
    },
    {
      slug: 'missed-bin',
      service: 'council-tax',
      group: 'home',
      name: both('Report a missed bin', 'Rhoi gwybod am fin a gollwyd'),
      description: both('Rubbish or recycling that was not collected.', 'Sbwriel neu ailgylchu na chasglwyd.'),
      searchWords: both('rubbish waste refuse recycling collection dustbin', 'sbwriel gwastraff casgliad'),
      audience: ['person', 'business'],
      formUrl: 'https://forms.northfold.example/missed-bin',
    },
    {
      slug: 'libraries',
      service: 'libraries',
      name: both('Libraries', 'Llyfrgelloedd'),
      description: both('Books, reservations and library cards.', 'Llyfrau, archebion a chardiau llyfrgell.'),
      searchWords: both('book loan renew reservation card ebook', 'llyfr benthyg cerdyn'),
      filesMax: 3,
      megabytesMax: 5,
    },
  ],
}

export const agencyContacts: DeclaredContacts = {
  groups: [{ slug: 'pension', name: both('State pension', 'Pensiwn y wladwriaeth') }],
  points: [
    {
      slug: 'state-pension',
      service: 'state-pension',
      group: 'pension',
      name: both('Forecasts and claims', 'Rhagolygon a hawliadau'),
      description: both('How much you will get, and how to claim it.', 'Faint a gewch, a sut i’w hawlio.'),
      searchWords: both('retire retirement age amount national insurance record', 'ymddeol oedran swm'),
      audience: ['person'],
    },
    {
      slug: 'pension-payment',
      service: 'state-pension',
      group: 'pension',
      name: both('A pension payment is late or wrong', 'Taliad pensiwn yn hwyr neu’n anghywir'),
      searchWords: both('missing payment bank account money', 'taliad coll banc'),
      audience: ['person'],
      asks: [{ label: both('When was the payment due?', 'Pryd oedd y taliad i fod?'), required: true, maxLength: 40 }],
    },
    {
      slug: 'carers-support',
      service: 'carers-support',
      name: both('Support for carers', 'Cymorth i ofalwyr'),
      description: both('Money for people who care for somebody.', 'Arian i bobl sy’n gofalu am rywun.'),
      searchWords: both('carer allowance looking after disabled parent child', 'gofalwr lwfans'),
    },
  ],
}
