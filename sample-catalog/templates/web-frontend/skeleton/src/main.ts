// {{ texts }} are filled in by the design kit, not here
import { mount } from '@larkspoke/design-kit';

mount(document.querySelector('#app'));
