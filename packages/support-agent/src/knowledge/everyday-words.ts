/**
 * Words that customers tell their story with, whatever it is about: people, times, feelings, and
 * what anybody does with anything. An article that has one may be meant; one that lacks it is hardly
 * less likely. Unlike stop words they are searched for.
 */
export const everydayWords = `
  able absolutely accidentally across actually afraid afternoon against ago ahead alone already
  although always among angry annoyed annoying anybody anymore anyway anywhere apart apparently
  appreciate appreciated april around ask asked asking august aunt autumn available away awful
  baby back bad badly basically beautiful became become begin behind believe best better big
  bigger biggest birthday bit black blue bought boy boyfriend bring brother brought brown buy
  buying came carefully case certain certainly chance check child children christmas clear clearly
  close colleague come coming completely confused correct couple cousin curious dad daughter day
  dear december decide decided definitely delighted different difficult disappointed disappointing
  door dozen early easily easy eight eighteen either eleven else elsewhere end enough enquire
  enquiry entirely especially evening eventually everybody everyone everything everywhere exactly
  exist expect expected explain fact false family far fast father february feel few fifteen fifth
  fifty finally fine finish first five fix fixed folks forever forget forgot forgotten fortunately
  forty forward found four fourth friday friend frustrated frustrating fully funny further future
  general getting girl girlfriend given giving glad going gone good grandma grandpa grateful great
  green grey grown guess guy half happen happened happy hard hardly hate hear heard hello help
  helpful here high hold home honest honestly hope hopefully hour house huge hundred husband idea
  immediately impossible inquire instead interested issue january july june keep kept kid kind
  kindly knew lady large last lately later latest least leave led left less life likely listen
  little live lived local long longer looking lose lot lovely low luckily mad madam main making
  man march mate matter mean meant meanwhile mention mine minute mistake moment monday month more
  morning mother move moved mr mrs mum naturally near nearby nearly necessary neither never new
  nice nicely night nine nobody none normal normally nothing notice noticed november nowhere
  number object obvious obviously october odd often old open opinion orange original otherwise
  outside overall own pair parents part particular partner patience people perfect perfectly
  perhaps person personally pick picked pink place plan planned planning pleased pleasure plenty
  poor possible possibly prefer present pretty previous previously probably problem properly
  purchase purchased purple purpose quarter query question quick quickly quite rather ready real
  realise realised reason recent recently red regards regularly remember reply reported ridiculous
  room sad saturday saw say says season second see seem seems seen self send sense sent separate
  september serious seriously setting seven several shame short show shown sick similar simple
  simply since single sir sister situation six sixty slightly slow small smaller solve solved
  somebody someday sometimes somewhere son soon sorry sort speak specific spring standard start
  started stay step stop stopped straight strange stuck stuff stupid suddenly suggest summer
  sunday suppose supposed surely surprise surprised taken taking team ten terrible think thinking
  third thirty though thought thousand three through thursday till time tiny today together told
  tomorrow tonight totally toward true truly tuesday turn turned twelve twenty twice two type
  typical unfortunately unhappy unless unlike unlikely upset useful usual usually various visit
  wait waited waiting wanting wear wearing wednesday week weekend weird whatever whenever whether
  white whole wife willing winter wish within without woman wonder wondering wore work worked
  working works worried worse worst worth write writing wrong wrote year yellow yesterday young yr
  yrs
`;
