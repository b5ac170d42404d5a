import { type Dates, type DemoMessage, english, type Row, table } from './message.ts'

export const councilTaxRows: readonly Row[] = [
  ['Northfold Council', '£1,296.00'],
  ['Northfold Police', '£214.20'],
  ['Northfold Fire and Rescue', '£78.60'],
  ['Full charge for band B', '£1,588.80'],
  ['Single person discount (25%)', '-£397.20'],
  ['**Total to pay**', '**£1,191.60**'],
]

export const permitRows: readonly Row[] = [
  ['Permit', 'Residents’ permit, zone N2'],
  ['Permit number', 'RP-EXAMPLE-5001'],
  ['Cost', '£62.00, paid'],
  ['Valid for', '12 months'],
]

const councilHours = 'We are open Monday to Friday, 9am to 5pm.'

/** What Northfold Council and the people of Northfold have written to each other. */
export function northfoldPost(dates: Dates): DemoMessage[] {
  return [
    welcome(),
    discountCheck(dates),
    discountAnswer(),
    discountDecision(),
    bill(dates),
    latePayment(dates),
    flatAboveShop(dates),
    reservation(dates),
    permit(dates),
    homeVisit(dates),
    registerCheck(dates),
    parkingQuestion(),
  ]
}

function welcome(): DemoMessage {
  return {
    reference: 'demo-ct-welcome',
    service: 'council-tax',
    to: 'CT-1001',
    sent: [120, '08:30'],
    opened: [119, '18:42'],
    content: [english('Your council tax letters now come here', welcomeBody)],
  }
}

const welcomeBody = `You have linked your council tax account to this mailbox. From now on we send your council tax letters here, and not on paper.

## What you will get here

- your bill, once a year and whenever it changes
- a reminder, if a payment is late
- decisions about discounts and reductions

## What stays the same

Your account, what you pay and how you pay it do not change.

## If you need help

Call 01632 960 123 if you would rather have your letters on paper, in large print or in another language. ${councilHours}`

function discountCheck({ dayAt, on }: Dates): DemoMessage {
  return {
    reference: 'demo-ct-discount-check',
    service: 'council-tax',
    to: 'CT-1001',
    sent: [34, '09:15'],
    opened: [33, '20:10'],
    replyBy: dayAt(20),
    content: [
      english(
        'Are you still the only adult in your home?',
        `You pay 25% less council tax because you are the only adult in your home. We check this every two years.

## What you need to do

Answer this letter by ${on(20)} and tell us:

1. whether you are still the only person over 18 who lives there
2. if not, on what day somebody moved in

If we do not hear from you, the discount will stop.`,
      ),
    ],
  }
}

function discountAnswer(): DemoMessage {
  return {
    reference: 'demo-ct-discount-answer',
    service: 'council-tax',
    from: 'rosa',
    answers: 'demo-ct-discount-check',
    sent: [33, '20:31'],
    opened: [32, '09:02'],
    content: [
      english(
        'Are you still the only adult in your home?',
        `Yes, I am still the only adult here. My daughter lives with me, she is 9.

Do I need to send you anything?

Rosa Example`,
      ),
    ],
  }
}

function discountDecision(): DemoMessage {
  return {
    reference: 'demo-ct-discount-decision',
    category: 'decisions',
    service: 'council-tax',
    answers: 'demo-ct-discount-answer',
    to: 'CT-1001',
    sent: [30, '14:20'],
    opened: [29, '12:15'],
    content: [
      english(
        'Your discount stays',
        `Thank you for your answer. Your single person discount stays as it is, and you do not need to send us anything.

Children do not count, so your daughter makes no difference until she is 18. Tell us within 21 days if another adult moves in.

Mel Placeholder, council tax`,
      ),
    ],
  }
}

function bill({ dayAt }: Dates): DemoMessage {
  return {
    reference: 'demo-ct-2026-bill',
    category: 'bills',
    service: 'council-tax',
    to: 'CT-1001',
    sent: [3, '08:05'],
    replyBy: dayAt(60),
    actions: [
      {
        kind: 'pay',
        label: { en: 'Pay your first instalment', cy: 'Talu eich rhandaliad cyntaf' },
        until: dayAt(5).toISOString(),
        amount: 11_916,
        reference: 'Council tax 2026 to 2027, instalment 1',
        document: 0,
      },
      {
        kind: 'self-service',
        label: { en: 'Set up a Direct Debit', cy: 'Trefnu Debyd Uniongyrchol' },
        url: 'https://www.northfold.example/council-tax/direct-debit',
      },
    ],
    content: [english('Your council tax bill for 2026 to 2027', billBody)],
    documents: [
      {
        role: 'main',
        title: 'Council tax bill 2026 to 2027',
        files: [{ filename: 'council-tax-bill.pdf', language: 'en' }],
      },
      {
        role: 'additional',
        title: 'How your council tax is spent',
        files: [{ filename: 'how-council-tax-is-spent.pdf', language: 'en' }],
      },
      {
        role: 'technical',
        title: 'The bill as data',
        files: [
          {
            filename: 'council-tax-bill.json',
            text: JSON.stringify({
              account: 'CT-1001',
              year: '2026-2027',
              total: '1191.60',
              instalments: 10,
              instalment: '119.16',
            }),
          },
        ],
      },
    ],
  }
}

const billBody = `This is your council tax bill for 1 April 2026 to 31 March 2027. It takes the place of any earlier bill for this year.

## What you have to pay

${table(['Charge', 'Amount'], councilTaxRows)}

## When to pay

You pay in 10 instalments of **£119.16**, on the first day of each month from April 2026 to January 2027.

If you pay by Direct Debit, you do not need to do anything.

## If you think the bill is wrong

Answer this letter, or call 01632 960 123. ${councilHours} Tell us if:

- somebody has moved in or out
- you are a student, or care for somebody at home
- your home has been changed for a disabled person

You can read more about [discounts and reductions](https://www.northfold.example/council-tax/discounts).`

function latePayment({ dayAt, on }: Dates): DemoMessage {
  return {
    reference: 'demo-ct-late-payment',
    category: 'bills',
    service: 'council-tax',
    to: 'CT-1002',
    sent: [15, '09:30'],
    opened: [14, '10:12'],
    replyBy: dayAt(10),
    actions: [
      {
        kind: 'pay',
        label: { en: 'Pay what is late', cy: 'Talu’r hyn sy’n hwyr' },
        until: dayAt(-2).toISOString(),
        amount: 14_200,
        reference: 'Council tax, late payment',
      },
    ],
    content: [
      english(
        'A council tax payment is late',
        `We have not received one of your council tax payments.

${table(
  ['Payment', 'Amount'],
  [
    ['Payment that was due', '£142.00'],
    ['Paid', '£0.00'],
    [`**Pay by ${on(10)}**`, '**£142.00**'],
  ],
)}

## If you have paid

If you paid in the last 3 days, you do not need to do anything.

## If you cannot pay

Talk to us as soon as you can. We can:

- spread what you owe over more months
- check whether you can get a reduction
- tell you who gives free advice on money

Answer this letter, or call 01632 960 123. ${councilHours}`,
      ),
    ],
  }
}

function flatAboveShop({ dayAt, on }: Dates): DemoMessage {
  return {
    reference: 'demo-ct-flat-above-shop',
    service: 'council-tax',
    to: 'CT-2001',
    sent: [7, '08:50'],
    replyBy: dayAt(21),
    content: [
      english(
        'Council tax for the flat above your shop',
        `You told us that nobody lives in the flat above your shop at the moment.

The flat stays free of council tax until ${on(80)}. After that you will have to pay the full charge, unless somebody who lives there pays it.

## What you need to do

Tell us within 21 days if:

- somebody moves in
- you use the flat for the business
- you sell it

Answer this letter, or call 01632 960 123. ${councilHours}`,
      ),
    ],
  }
}

function reservation({ on }: Dates): DemoMessage {
  return {
    reference: 'demo-lb-reservation',
    service: 'libraries',
    to: 'LB-3001',
    sent: [20, '10:05'],
    opened: [20, '19:20'],
    content: [
      english(
        'A book that you reserved is ready',
        `You can collect your book from **Northfold Central Library** until ${on(-6)}.

- Title: The Lighthouse at Northfold Point
- Shelf: Reservations, letter E
- Bring: your library card

## Opening times

${table(
  ['Day', 'Open'],
  [
    ['Monday to Friday', '9am to 7pm'],
    ['Saturday', '10am to 4pm'],
    ['Sunday', 'Closed'],
  ],
)}`,
      ),
    ],
  }
}

function permit({ on }: Dates): DemoMessage {
  return {
    reference: 'demo-pk-permit',
    category: 'decisions',
    service: 'parking',
    to: 'PK-5001',
    sent: [9, '11:40'],
    opened: [8, '07:55'],
    content: [
      english(
        'Your residents’ parking permit',
        `Your residents’ permit has been granted. It is valid from ${on(-8)} until ${on(356)}.

${table(['Detail', 'Your permit'], permitRows)}

You do not need to show anything in your car. Our staff look up your car’s number plate.

## Rules

- Park only in bays that are marked N2.
- Tell us before you change your car.
- The permit does not keep a place for you.

The rules are in the attached letter. You can read more about [parking in Northfold](https://www.northfold.example/parking).`,
      ),
    ],
    documents: [
      {
        role: 'main',
        title: 'Your residents’ parking permit',
        files: [{ filename: 'parking-permit.pdf', language: 'en' }],
      },
    ],
  }
}

function homeVisit({ dayAt, on }: Dates): DemoMessage {
  const start = new Date(`${dayAt(12).toISOString().slice(0, 10)}T10:00:00Z`)
  return {
    reference: 'demo-pk-visit',
    service: 'parking',
    to: 'PK-5001',
    sent: [6, '09:10'],
    opened: [5, '19:05'],
    content: [
      english(
        'We want to look at the bay outside your home',
        `You told us that the bay outside your home is too short for most cars. We would like to come and measure it with you on ${on(12)}.

## What you need to do

Tell us whether you can be there. It takes half an hour. If you cannot come, we write again with another day.`,
      ),
    ],
    actions: [
      {
        kind: 'book',
        label: { en: 'Meet us at the parking bay', cy: 'Cwrdd â ni wrth y man parcio' },
        until: dayAt(6).toISOString(),
        appointment: {
          start: start.toISOString(),
          end: new Date(start.getTime() + 30 * 60_000).toISOString(),
          place: 'Sample Street, Northfold, zone N2',
          description: 'We measure the bay together.\nHave your permit number at hand.',
          organiser: 'The parking team',
        },
      },
      {
        kind: 'prepare',
        label: { en: 'Take a photo of the bay', cy: 'Tynnu llun o’r man parcio' },
        until: dayAt(11).toISOString(),
      },
    ],
  }
}

function registerCheck({ dayAt }: Dates): DemoMessage {
  return {
    reference: 'demo-ct-register-check',
    service: 'council-tax',
    to: 'CT-1001',
    sent: [16, '11:00'],
    opened: [15, '18:20'],
    content: [
      english(
        'Check what we know about your home',
        `We have these details of your home:

- one adult lives there
- it is in band B
- it is not empty at any time of the year

## What you need to do

If all of this is right, confirm it. If something is wrong, fill in the form and tell us.`,
      ),
    ],
    actions: [
      {
        kind: 'confirm',
        label: { en: 'Confirm that this is right', cy: 'Cadarnhau bod hyn yn gywir' },
        until: dayAt(-1).toISOString(),
      },
      {
        kind: 'self-service',
        label: { en: 'Tell us what has changed', cy: 'Dweud wrthym beth sydd wedi newid' },
        url: 'https://submit.forms.service.gov.uk/form/1001/tell-us-what-has-changed',
        until: dayAt(20).toISOString(),
      },
    ],
  }
}

function parkingQuestion(): DemoMessage {
  return {
    reference: 'demo-pk-question',
    service: 'parking',
    from: 'arthur',
    sent: [2, '16:45'],
    content: [
      english(
        'Yellow lines on Sample Street',
        `The yellow lines outside number 4 have almost gone since the road was mended, and people now park across my drive.

Could you have them painted again?

Arthur Sample`,
      ),
    ],
  }
}
