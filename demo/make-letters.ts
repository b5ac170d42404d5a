import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { carerRows, carerRowsInWelsh, forecastRows, forecastRowsInWelsh } from './agency-post.ts'
import { drawLetter, type LetterBody, type PrintedLetter } from './draw-letter.ts'
import { councilTaxRows, permitRows } from './northfold-post.ts'

// Makes the PDFs in demo/letters: node demo/make-letters.ts. They are committed, so that a start needs no PDF library. They
// name no day of sending, as the messages that carry them are always sent a few days before the demo world is made.

const council: LetterBody = {
  name: 'Northfold Council',
  colour: '#0b5d57',
  contact: ['Civic House, 1 Example Square', 'Northfold NF1 1AA', '01632 960 123', 'www.northfold.example'],
  emblem: (pdf, x, y) => {
    pdf.roundedRect(x, y, 36, 36, 5).fill('#0b5d57')
    pdf
      .path(`M ${x + 4} ${y + 27} L ${x + 14} ${y + 10} L ${x + 20} ${y + 19} L ${x + 24} ${y + 14} L ${x + 32} ${y + 27} Z`)
      .fill('#ffffff')
    pdf.rect(x + 4, y + 29.5, 28, 2).fill('#9fd3c7')
  },
}

const agencyEmblem: LetterBody['emblem'] = (pdf, x, y) => {
  pdf.circle(x + 18, y + 18, 18).fill('#5a2a6b')
  for (const [index, height] of [9, 14, 19].entries()) pdf.rect(x + 8.5 + index * 7, y + 27 - height, 5, height).fill('#ffffff')
}

const agency: LetterBody = {
  name: 'Agency for Pensions and Support',
  colour: '#5a2a6b',
  contact: ['Placeholder Court, 2 Sample Way', 'Eastfold EF1 1AA', '03069 990 456', 'www.pensions-and-support.example'],
  emblem: agencyEmblem,
}

const agencyInWelsh: LetterBody = { ...agency, name: 'Asiantaeth Pensiynau a Chymorth' }

const rosa = ['Rosa Example', '14 Sample Street', 'Northfold', 'NF1 2AB']
const arthur = ['Arthur Sample', '4 Sample Street', 'Northfold', 'NF1 2AB']
const gwen = ['Gwen Enghraifft', '3 Stryd Enghraifft', 'Eastfold', 'EF2 3CD']

const letters: Record<string, PrintedLetter> = {
  'council-tax-bill.pdf': {
    from: council,
    language: 'en',
    address: rosa,
    references: [
      ['Council tax account', 'CT-1001'],
      ['Year', '1 April 2026 to 31 March 2027'],
    ],
    title: 'Council tax bill 2026 to 2027',
    blocks: [
      {
        kind: 'paragraph',
        text: 'This is your council tax bill for 14 Sample Street, which is in band B. It takes the place of any earlier bill for this year.',
      },
      { kind: 'heading', text: 'What you have to pay' },
      { kind: 'table', head: ['Charge', 'Amount'], rows: councilTaxRows },
      { kind: 'heading', text: 'When to pay' },
      {
        kind: 'table',
        head: ['Payment', 'Amount'],
        rows: [['10 instalments, on the first day of each month from April 2026 to January 2027', '£119.16 each']],
      },
      { kind: 'paragraph', text: 'If you pay by Direct Debit, you do not need to do anything.' },
      { kind: 'heading', text: 'If you think the bill is wrong' },
      {
        kind: 'paragraph',
        text: 'Answer this letter in your mailbox, or call 01632 960 123, Monday to Friday, 9am to 5pm. Tell us if:',
      },
      {
        kind: 'list',
        items: [
          'somebody has moved in or out',
          'you are a student, or care for somebody at home',
          'your home has been changed for a disabled person',
        ],
      },
    ],
    signature: ['Council tax', 'Northfold Council'],
  },
  'how-council-tax-is-spent.pdf': {
    from: council,
    language: 'en',
    address: ['To everybody who pays council tax'],
    references: [['Year', '1 April 2026 to 31 March 2027']],
    title: 'How your council tax is spent',
    blocks: [
      { kind: 'paragraph', text: 'This is where each £100 of your council tax goes.' },
      {
        kind: 'table',
        head: ['Service', 'Of each £100'],
        rows: [
          ['Care for adults', '£34.10'],
          ['Children and families', '£21.60'],
          ['Northfold Police', '£13.50'],
          ['Waste and recycling', '£9.80'],
          ['Roads and street lights', '£8.20'],
          ['Northfold Fire and Rescue', '£4.95'],
          ['Libraries, parks and leisure', '£4.60'],
          ['Everything else', '£3.25'],
          ['**Total**', '**£100.00**'],
        ],
      },
      { kind: 'heading', text: 'What has changed since last year' },
      {
        kind: 'list',
        items: [
          'We spend more on care for adults, as more people need it.',
          'Northfold Central Library is now open on Saturdays.',
          'New street lights use half as much electricity as the old ones.',
        ],
      },
      { kind: 'heading', text: 'Read more' },
      {
        kind: 'paragraph',
        text: 'All our accounts are at www.northfold.example/accounts. Call 01632 960 123 for a copy on paper or in large print.',
      },
    ],
    signature: [],
  },
  'parking-permit.pdf': {
    from: council,
    language: 'en',
    address: rosa,
    references: [
      ['Your reference', 'PK-5001'],
      ['Permit number', 'RP-EXAMPLE-5001'],
    ],
    title: 'Your residents’ parking permit',
    blocks: [
      {
        kind: 'paragraph',
        text: 'Your residents’ permit has been granted. The day from which it is valid is in the message that came with this letter.',
      },
      { kind: 'table', head: ['Detail', 'Your permit'], rows: permitRows },
      { kind: 'heading', text: 'Rules' },
      {
        kind: 'list',
        items: [
          'Park only in bays that are marked N2.',
          'The permit is for the car that you named in your application. Tell us before you change your car.',
          'The permit does not keep a place for you.',
          'A permit may not be sold or lent. Tell us if you move, and we pay back the months that are left.',
        ],
      },
      { kind: 'heading', text: 'Nothing to show' },
      { kind: 'paragraph', text: 'You do not need to show anything in your car. Our staff look up your car’s number plate.' },
      { kind: 'heading', text: 'Questions' },
      { kind: 'paragraph', text: 'Call 01632 960 145, Monday to Friday, 9am to 5pm.' },
    ],
    signature: ['Parking', 'Northfold Council'],
  },
  'state-pension-forecast.pdf': {
    from: agency,
    language: 'en',
    address: arthur,
    references: [['Your reference', 'SP-7002']],
    title: 'Your State Pension forecast',
    blocks: [
      { kind: 'paragraph', text: 'You asked us for a forecast. You can get your State Pension from 8 September 2031.' },
      { kind: 'heading', text: 'How much you could get' },
      { kind: 'table', head: ['What', 'Amount'], rows: forecastRows },
      { kind: 'paragraph', text: 'A forecast is not a promise: the amounts can change with the law and with your record.' },
      { kind: 'heading', text: 'What the forecast is based on' },
      {
        kind: 'list',
        items: [
          '31 full years on your record so far',
          '5 more years that you can still add before you claim',
          'today’s amounts, without any rise for prices',
        ],
      },
      { kind: 'heading', text: 'What you need to do' },
      {
        kind: 'paragraph',
        text: 'Nothing now. We will write to you 4 months before you can claim. Call 03069 990 456 if something in this letter is wrong.',
      },
    ],
    signature: ['State pension', 'Agency for Pensions and Support'],
  },
  'rhagolwg-pensiwn-y-wladwriaeth.pdf': {
    from: agencyInWelsh,
    language: 'cy',
    address: gwen,
    references: [['Eich cyfeirnod', 'SP-7003']],
    title: 'Eich rhagolwg Pensiwn y Wladwriaeth',
    blocks: [
      {
        kind: 'paragraph',
        text: 'Gwnaethoch ofyn i ni am ragolwg. Gallwch gael eich Pensiwn y Wladwriaeth o 11 Chwefror 2033 ymlaen.',
      },
      { kind: 'heading', text: 'Faint y gallech ei gael' },
      { kind: 'table', head: ['Beth', 'Swm'], rows: forecastRowsInWelsh },
      { kind: 'paragraph', text: 'Nid yw rhagolwg yn addewid: gall y symiau newid gyda’r gyfraith a gyda’ch cofnod.' },
      { kind: 'heading', text: 'Beth mae angen i chi ei wneud' },
      {
        kind: 'paragraph',
        text: 'Dim byd nawr. Byddwn yn ysgrifennu atoch 4 mis cyn y gallwch wneud cais. Ffoniwch 03069 990 456 os oes rhywbeth yn y llythyr hwn yn anghywir.',
      },
    ],
    signature: ['Pensiwn y Wladwriaeth', 'Asiantaeth Pensiynau a Chymorth'],
  },
  'carers-support-decision.pdf': {
    from: agency,
    language: 'en',
    address: gwen,
    references: [['Your reference', 'CS-8003']],
    title: 'You can get carer’s support',
    blocks: [
      {
        kind: 'paragraph',
        text: 'We have decided that you can get carer’s support. The days from which it counts and on which we first pay are in the message that came with this letter.',
      },
      { kind: 'heading', text: 'What you will get' },
      { kind: 'table', head: ['What', 'Amount'], rows: carerRows },
      { kind: 'heading', text: 'Tell us if something changes' },
      { kind: 'paragraph', text: 'You must tell us if:' },
      {
        kind: 'list',
        items: [
          'you no longer care for somebody for at least 35 hours a week',
          'you earn more than £150 a week',
          'the person you care for goes into hospital or moves to a care home',
        ],
      },
      { kind: 'heading', text: 'If you do not agree' },
      {
        kind: 'paragraph',
        text: 'You can ask us to look at the decision again. Answer this letter in your mailbox by the day that the message names, or call 03069 990 456.',
      },
    ],
    signature: ['Carer’s support', 'Agency for Pensions and Support'],
  },
  'penderfyniad-cymorth-i-ofalwyr.pdf': {
    from: agencyInWelsh,
    language: 'cy',
    address: gwen,
    references: [['Eich cyfeirnod', 'CS-8003']],
    title: 'Gallwch gael cymorth i ofalwyr',
    blocks: [
      {
        kind: 'paragraph',
        text: 'Rydym wedi penderfynu y gallwch gael cymorth i ofalwyr. Mae’r dyddiadau yn y neges a ddaeth gyda’r llythyr hwn.',
      },
      { kind: 'heading', text: 'Yr hyn y byddwch yn ei gael' },
      { kind: 'table', head: ['Beth', 'Swm'], rows: carerRowsInWelsh },
      { kind: 'heading', text: 'Rhowch wybod i ni os bydd rhywbeth yn newid' },
      { kind: 'paragraph', text: 'Mae’n rhaid i chi roi gwybod i ni os:' },
      {
        kind: 'list',
        items: [
          'nad ydych bellach yn gofalu am rywun am o leiaf 35 awr yr wythnos',
          'byddwch yn ennill mwy na £150 yr wythnos',
          'bydd y person rydych yn gofalu amdano yn mynd i’r ysbyty neu’n symud i gartref gofal',
        ],
      },
      { kind: 'heading', text: 'Os nad ydych yn cytuno' },
      {
        kind: 'paragraph',
        text: 'Gallwch ofyn i ni edrych ar y penderfyniad eto. Atebwch y llythyr hwn yn eich blwch post erbyn y dyddiad sydd yn y neges, neu ffoniwch 03069 990 456.',
      },
    ],
    signature: ['Cymorth i ofalwyr', 'Asiantaeth Pensiynau a Chymorth'],
  },
}

for (const [name, letter] of Object.entries(letters)) {
  await writeFile(path.join(import.meta.dirname, 'letters', name), await drawLetter(letter))
}
